import Foundation
import NumberTypes
import Synchronization

/// A block of memory for elements of one format, aligned for the widest vector loads. Or a part of
/// an owner's memory, such as a mapped file, which is never written.
///
/// Training steps allocate the same sizes again and again. Fresh pages from the system cost more
/// than the arithmetic on them, so a bounded pool (`StoragePool`) keeps freed blocks by size.
package final class Storage: @unchecked Sendable {
    // Tensor guarantees the Sendable conformance: it writes only through a uniquely referenced
    // storage.

    package let address: UnsafeMutableRawPointer
    package let count: Int
    package let format: StoredFormat
    /// How often the elements were written in place; see `TensorIdentity`.
    var version = 0
    /// Number of floats from the pool; zero for an owner's memory.
    private let capacity: Int
    let owner: AnyObject?
    /// The elements as float32, if the tensor has another format; converted when a kernel first
    /// needs them.
    private let widened = Mutex<UInt>(0)

    /// Memory for `count` elements, with arbitrary contents.
    package init(uninitialized count: Int, _ format: StoredFormat = .float32) {
        self.count = count
        self.format = format
        owner = nil
        capacity = Storage.roundedCapacity(Storage.floats(count, format))
        address = UnsafeMutableRawPointer(StoragePool.shared.take(capacity))
    }

    package convenience init(zeros count: Int) {
        self.init(uninitialized: count)
        floats.initialize(repeating: 0, count: count)
    }

    /// `count` elements in memory that `owner` keeps alive; plain ones aligned to their size.
    package init(
        borrowing address: UnsafeRawPointer, _ count: Int, _ format: StoredFormat,
        of owner: AnyObject
    ) {
        self.count = count
        self.format = format
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

    /// The memory as float32. Valid only for float32.
    @inline(__always)
    var floats: UnsafeMutablePointer<Float> { address.assumingMemoryBound(to: Float.self) }

    /// Whether elements may be changed in place: float32 in memory that this storage owns.
    @inline(__always)
    var isWritable: Bool { owner == nil && format == .float32 }

    var isBorrowed: Bool { owner != nil }

    /// The elements as float32 for reading. Elements of another format are converted once and kept;
    /// this is for the short vectors of norms and biases. Kernels that read whole matrices convert
    /// while they read.
    @inline(__always)
    var readable: UnsafePointer<Float> {
        format == .float32 ? UnsafePointer(floats) : widenedCopy()
    }

    private func widenedCopy() -> UnsafePointer<Float> {
        let address = widened.withLock { kept in
            if kept == 0 {
                let copy = StoragePool.shared.take(Storage.roundedCapacity(count))
                widen(self.address, format, count, into: copy)
                kept = UInt(bitPattern: copy)
            }
            return kept
        }
        return UnsafePointer(bitPattern: address) ?? UnsafePointer(floats)
    }

    private static func floats(_ count: Int, _ format: StoredFormat) -> Int {
        (format.bytes(count) + 3) / 4
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
