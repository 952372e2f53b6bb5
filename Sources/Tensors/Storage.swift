import Foundation
import NumberTypes
import Synchronization

/// A block of memory for elements of one type, aligned for the widest vector loads; or a part of
/// somebody else's memory, as of a mapped file, which is never written.
///
/// Steps of training ask for the same sizes over and over, and fresh pages from the system cost
/// more than the arithmetic done on them, so freed blocks are kept in a bounded pool by size.
package final class Storage: @unchecked Sendable {
    // Sendable is promised by Tensor: it only writes through a uniquely referenced storage.

    package let address: UnsafeMutableRawPointer
    package let count: Int
    package let type: DType
    /// Floats that the pool gave; zero for an owner's memory.
    private let capacity: Int
    private let owner: AnyObject?
    /// float32 elements of a tensor in another type, formed when a kernel asks for them.
    private let widened = Mutex<UInt>(0)

    /// Memory for `count` elements, with whatever it held before.
    package init(uninitialized count: Int, _ type: DType = .float32) {
        self.count = count
        self.type = type
        owner = nil
        capacity = Storage.roundedCapacity(Storage.floats(count, type))
        address = UnsafeMutableRawPointer(StoragePool.shared.take(capacity))
    }

    package convenience init(zeros count: Int) {
        self.init(uninitialized: count)
        floats.initialize(repeating: 0, count: count)
    }

    /// `count` elements in memory that `owner` keeps as long as it lives; aligned to the element.
    package init(
        borrowing address: UnsafeRawPointer, _ count: Int, _ type: DType, of owner: AnyObject
    ) {
        self.count = count
        self.type = type
        self.owner = owner
        capacity = 0
        self.address = UnsafeMutableRawPointer(mutating: address)
    }

    deinit {
        if capacity > 0 {
            StoragePool.shared.give(address.assumingMemoryBound(to: Float.self), capacity)
        }
        let copy = widened.withLock { $0 }
        if let pointer = UnsafeMutablePointer<Float>(bitPattern: copy) {
            StoragePool.shared.give(pointer, Storage.roundedCapacity(count))
        }
    }

    /// The memory as float32: only where that is its type.
    @inline(__always)
    var floats: UnsafeMutablePointer<Float> { address.assumingMemoryBound(to: Float.self) }

    /// Whether elements may be changed where they are: float32 in memory of our own.
    @inline(__always)
    var isWritable: Bool { owner == nil && type == .float32 }

    /// The elements as float32 for reading. In another type they are widened once and kept: for the
    /// short vectors of norms and biases. Kernels that read whole matrices widen as they go.
    @inline(__always)
    var readable: UnsafePointer<Float> {
        type == .float32 ? UnsafePointer(floats) : widenedCopy()
    }

    private func widenedCopy() -> UnsafePointer<Float> {
        let address = widened.withLock { kept in
            if kept == 0 {
                let copy = StoragePool.shared.take(Storage.roundedCapacity(count))
                widen(self.address, type, count, into: copy)
                kept = UInt(bitPattern: copy)
            }
            return kept
        }
        return UnsafePointer(bitPattern: address) ?? UnsafePointer(floats)
    }

    private static func floats(_ count: Int, _ type: DType) -> Int {
        type == .float32 ? count : (count + 1) / 2
    }

    /// Sizes are rounded up (to an eighth of their power of two), so that nearly equal requests
    /// meet.
    private static func roundedCapacity(_ count: Int) -> Int {
        let minimum = 64
        guard count > minimum else { return minimum }
        let power = Int.bitWidth - 1 - (count - 1).leadingZeroBitCount
        let step = max(minimum, (1 << power) / 8)
        return (count + step - 1) / step * step
    }
}

/// Freed blocks by capacity. Holds at most `limit` bytes. A block that does not fit goes back to the
/// system, unless blocks of a size that nobody asks for any more can make room for it.
private final class StoragePool: @unchecked Sendable {
    // Guarded by `lock`; not by a Mutex, since the thread sanitizer does not see how one locks.

    static let shared = StoragePool()
    private static let alignment = 64
    private static let limit = 256 << 20
    /// The size of a large page on the processors this runs on.
    private static let hugePage = 2 << 20
    /// A size is out of use when so many requests for other sizes have passed: several steps of
    /// training. Evicting the least recently used size at once would be worse than no pool for work
    /// that goes round more sizes than fit.
    private static let patience = 4096

    /// Free blocks of one size.
    private struct Shelf {
        var blocks: [UnsafeMutablePointer<Float>] = []
        /// The number of the last request for this size.
        var lastRequest = 0
    }

    private let lock = NSLock()
    /// By capacity in floats.
    private var shelves: [Int: Shelf] = [:]
    /// Bytes in free blocks.
    private var held = 0
    private var requests = 0

    func take(_ capacity: Int) -> UnsafeMutablePointer<Float> {
        let kept: UnsafeMutablePointer<Float>? = lock.withLock {
            requests += 1
            guard let place = shelves.index(forKey: capacity) else { return nil }
            shelves.values[place].lastRequest = requests
            guard let pointer = shelves.values[place].blocks.popLast() else { return nil }
            held -= Self.bytes(capacity)
            return pointer
        }
        if let kept { return kept }
        let bytes = Self.bytes(capacity)
        let isLarge = bytes >= Self.hugePage
        let fresh = UnsafeMutableRawPointer.allocate(
            byteCount: bytes, alignment: isLarge ? Self.hugePage : Self.alignment)
        #if os(Linux)
            // Caches are read in short rows far apart, so few pages beat many; measured on
            // generation.
            if isLarge { madvise(fresh, bytes, MADV_HUGEPAGE) }
        #endif
        return fresh.bindMemory(to: Float.self, capacity: capacity)
    }

    func give(_ pointer: UnsafeMutablePointer<Float>, _ capacity: Int) {
        let size = Self.bytes(capacity)
        let surplus: [UnsafeMutablePointer<Float>] = lock.withLock {
            var evicted: [UnsafeMutablePointer<Float>] = []
            if held + size > Self.limit { evicted = evict(size) }
            guard held + size <= Self.limit else { return evicted + [pointer] }
            shelves[capacity, default: Shelf(lastRequest: requests)].blocks.append(pointer)
            held += size
            return evicted
        }
        for pointer in surplus { UnsafeMutableRawPointer(pointer).deallocate() }
    }

    /// Takes out blocks of sizes that are out of use, until `size` bytes fit or none are left.
    private func evict(_ size: Int) -> [UnsafeMutablePointer<Float>] {
        var evicted: [UnsafeMutablePointer<Float>] = []
        for (capacity, shelf) in shelves where requests - shelf.lastRequest > Self.patience {
            var shelf = shelf
            while held + size > Self.limit, let block = shelf.blocks.popLast() {
                evicted.append(block)
                held -= Self.bytes(capacity)
            }
            shelves[capacity] = shelf.blocks.isEmpty ? nil : shelf
        }
        return evicted
    }

    private static func bytes(_ capacity: Int) -> Int { capacity * MemoryLayout<Float>.stride }
}
