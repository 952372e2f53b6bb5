import Foundation
import NumberTypes
import Synchronization

/// A block of memory for elements of one type, aligned for the widest vector loads. Or a part of an
/// owner's memory, such as a mapped file, which is never written.
///
/// Training steps allocate the same sizes again and again. Fresh pages from the system cost more
/// than the arithmetic on them, so a bounded pool keeps freed blocks by size.
package final class Storage: @unchecked Sendable {
    // Tensor guarantees the Sendable conformance: it writes only through a uniquely referenced
    // storage.

    package let address: UnsafeMutableRawPointer
    package let count: Int
    package let type: DType
    /// Number of floats from the pool; zero for an owner's memory.
    private let capacity: Int
    private let owner: AnyObject?
    /// The elements as float32, if the tensor has another type; converted when a kernel first needs
    /// them.
    private let widened = Mutex<UInt>(0)

    /// Memory for `count` elements, with arbitrary contents.
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

    /// `count` elements in memory that `owner` keeps alive, aligned to the element size.
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

    /// The memory as float32. Valid only for type float32.
    @inline(__always)
    var floats: UnsafeMutablePointer<Float> { address.assumingMemoryBound(to: Float.self) }

    /// Whether elements may be changed in place: float32 in memory that this storage owns.
    @inline(__always)
    var isWritable: Bool { owner == nil && type == .float32 }

    /// The elements as float32 for reading. Elements of another type are converted once and kept;
    /// this is for the short vectors of norms and biases. Kernels that read whole matrices convert
    /// while they read.
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
    /// share blocks.
    static func roundedCapacity(_ count: Int) -> Int {
        let minimum = 64
        guard count > minimum else { return minimum }
        let power = Int.bitWidth - 1 - (count - 1).leadingZeroBitCount
        let step = max(minimum, (1 << power) / 8)
        return (count + step - 1) / step * step
    }
}

/// Freed blocks by capacity. The pool holds at most `limit` bytes. A block that does not fit goes
/// back to the system, unless evicting blocks of unused sizes makes room for it.
final class StoragePool: @unchecked Sendable {
    // Guarded by `lock`. It is not a Mutex, because the thread sanitizer does not see the locking
    // of a Mutex.

    static let shared = StoragePool()
    private static let alignment = 64
    /// The size of a large page on x86-64 processors.
    private static let hugePage = 2 << 20
    /// A size counts as unused after this many requests for other sizes: several steps of training.
    /// Evicting the least recently used size at once would be worse than no pool for work that
    /// cycles through more sizes than fit.
    private static let patience = 4096

    /// Free blocks of one size.
    private struct Shelf {
        var blocks: [UnsafeMutablePointer<Float>] = []
        /// The number of the last request for this size.
        var lastRequest = 0
    }

    /// Bytes that free blocks may take.
    private let limit: Int
    private let lock = NSLock()
    /// By capacity in floats.
    private var shelves: [Int: Shelf] = [:]
    /// Bytes in free blocks.
    private var held = 0
    private var requests = 0

    init(limit: Int = 256 << 20) { self.limit = limit }

    deinit {
        for pointer in shelves.values.flatMap(\.blocks) {
            UnsafeMutableRawPointer(pointer).deallocate()
        }
    }

    /// Bytes in free blocks.
    var freeBytes: Int { lock.withLock { held } }

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
            // Caches are read in short rows far apart, so large pages are faster; measured on
            // generation.
            if isLarge { madvise(fresh, bytes, MADV_HUGEPAGE) }
        #endif
        return fresh.bindMemory(to: Float.self, capacity: capacity)
    }

    func give(_ pointer: UnsafeMutablePointer<Float>, _ capacity: Int) {
        let size = Self.bytes(capacity)
        let surplus: [UnsafeMutablePointer<Float>] = lock.withLock {
            var evicted: [UnsafeMutablePointer<Float>] = []
            if held + size > limit { evicted = evict(size) }
            guard held + size <= limit else { return evicted + [pointer] }
            shelves[capacity, default: Shelf(lastRequest: requests)].blocks.append(pointer)
            held += size
            return evicted
        }
        for pointer in surplus { UnsafeMutableRawPointer(pointer).deallocate() }
    }

    /// Evicts blocks of unused sizes, until `size` bytes fit or none are left.
    private func evict(_ size: Int) -> [UnsafeMutablePointer<Float>] {
        var evicted: [UnsafeMutablePointer<Float>] = []
        for (capacity, shelf) in shelves where requests - shelf.lastRequest > Self.patience {
            var shelf = shelf
            while held + size > limit, let block = shelf.blocks.popLast() {
                evicted.append(block)
                held -= Self.bytes(capacity)
            }
            shelves[capacity] = shelf.blocks.isEmpty ? nil : shelf
        }
        return evicted
    }

    private static func bytes(_ capacity: Int) -> Int { capacity * MemoryLayout<Float>.stride }
}
