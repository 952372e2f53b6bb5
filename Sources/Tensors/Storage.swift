import Foundation
import Synchronization

/// A block of float32 memory, aligned for the widest vector loads.
///
/// Steps of training ask for the same sizes over and over, and fresh pages from the system cost more
/// than the arithmetic done on them, so freed blocks are kept in a bounded pool by size.
package final class Storage: @unchecked Sendable {
    // Sendable is promised by Tensor: it only writes through a uniquely referenced storage.

    package let pointer: UnsafeMutablePointer<Float>
    package let count: Int
    private let capacity: Int

    /// Memory for `count` floats, with whatever it held before.
    package init(uninitialized count: Int) {
        self.count = count
        capacity = Storage.roundedCapacity(count)
        pointer = StoragePool.shared.take(capacity)
    }

    package convenience init(zeros count: Int) {
        self.init(uninitialized: count)
        pointer.initialize(repeating: 0, count: count)
    }

    deinit { StoragePool.shared.give(pointer, capacity) }

    /// Sizes are rounded up (to an eighth of their power of two), so that nearly equal requests meet.
    private static func roundedCapacity(_ count: Int) -> Int {
        let minimum = 64
        guard count > minimum else { return minimum }
        let power = Int.bitWidth - 1 - (count - 1).leadingZeroBitCount
        let step = max(minimum, (1 << power) / 8)
        return (count + step - 1) / step * step
    }
}

/// Freed blocks by capacity. Holds at most `limit` bytes; what does not fit goes back to the system.
private final class StoragePool: Sendable {
    static let shared = StoragePool()
    private static let alignment = 64
    private static let limit = 256 << 20

    private struct State: @unchecked Sendable {
        var free: [Int: [UnsafeMutablePointer<Float>]] = [:]
        var bytes = 0
    }
    private let state = Mutex(State())

    func take(_ capacity: Int) -> UnsafeMutablePointer<Float> {
        let address: UInt? = state.withLock { state in
            guard let pointer = state.free[capacity]?.popLast() else { return nil }
            state.bytes -= capacity * MemoryLayout<Float>.stride
            return UInt(bitPattern: pointer)
        }
        if let address, let pointer = UnsafeMutablePointer<Float>(bitPattern: address) {
            return pointer
        }
        return UnsafeMutableRawPointer.allocate(
            byteCount: capacity * MemoryLayout<Float>.stride, alignment: Self.alignment
        ).bindMemory(to: Float.self, capacity: capacity)
    }

    func give(_ pointer: UnsafeMutablePointer<Float>, _ capacity: Int) {
        let bytes = capacity * MemoryLayout<Float>.stride
        let address = UInt(bitPattern: pointer)
        let kept = state.withLock { state in
            guard state.bytes + bytes <= Self.limit,
                let pointer = UnsafeMutablePointer<Float>(bitPattern: address)
            else { return false }
            state.free[capacity, default: []].append(pointer)
            state.bytes += bytes
            return true
        }
        if !kept { UnsafeMutableRawPointer(pointer).deallocate() }
    }
}
