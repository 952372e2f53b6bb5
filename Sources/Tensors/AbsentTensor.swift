import Foundation
import Glibc
import NumberTypes

/// Addresses without memory: nobody reads them.
private final class Addresses {
    let base: UnsafeRawPointer?
    private let count: Int

    init(_ count: Int) {
        self.count = max(1, count)
        // Pages that are not read or written take no memory; if they are read, they are zeros.
        let address = mmap(
            nil, self.count, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0)
        base = address == MAP_FAILED ? nil : UnsafeRawPointer(address)
    }

    deinit { if let base { munmap(UnsafeMutableRawPointer(mutating: base), count) } }
}

extension Tensor {
    /// A tensor that has a shape and takes no memory, in the place of one that another process
    /// keeps. Its elements are zeros; reading them takes memory.
    package init(absent shape: [Int]) {
        let addresses = Addresses(4 * shape.reduce(1, *))
        guard let base = addresses.base else {
            self.init(zeros: shape)
            return
        }
        self.init(borrowing: base, .float32, shape: shape, of: addresses)
    }

    /// Whether it was made by `init(absent:)`.
    package var isAbsent: Bool { storage.owner is Addresses }

    /// Whether the elements lie in memory of another owner, such as a mapped file: they are as
    /// they were read.
    package var isBorrowed: Bool { storage.isBorrowed }
}
