import Foundation

/// The bytes of an array. They stay where they are as long as this object lives, and nobody writes
/// them: memory of their own, a mapped file, or the memory of a tensor.
public final class StoredBytes: @unchecked Sendable {
    // Sendable because nothing ever writes here.

    public let base: UnsafeRawPointer
    public let count: Int
    /// Nil for memory of our own.
    private let owner: AnyObject?

    public init(copying bytes: UnsafeRawBufferPointer) {
        let memory = UnsafeMutableRawPointer.allocate(
            byteCount: max(1, bytes.count), alignment: 64)
        if let start = bytes.baseAddress {
            memory.copyMemory(from: start, byteCount: bytes.count)
        }
        base = UnsafeRawPointer(memory)
        count = bytes.count
        owner = nil
    }

    /// Bytes that `owner` keeps where they are as long as it lives: nothing is copied.
    public init(borrowing bytes: UnsafeRawBufferPointer, of owner: AnyObject) {
        guard let start = bytes.baseAddress, !bytes.isEmpty else {
            base = UnsafeRawPointer(UnsafeMutableRawPointer.allocate(byteCount: 1, alignment: 1))
            count = 0
            self.owner = nil
            return
        }
        base = start
        count = bytes.count
        self.owner = owner
    }

    deinit {
        if owner == nil { base.deallocate() }
    }

    public var buffer: UnsafeRawBufferPointer { UnsafeRawBufferPointer(start: base, count: count) }

    /// The same bytes for those who want `Data`, not copied.
    public var data: Data {
        guard count > 0 else { return Data() }
        return Data(
            bytesNoCopy: UnsafeMutableRawPointer(mutating: base), count: count,
            deallocator: .custom { _, _ in withExtendedLifetime(self) {} })
    }
}
