import Testing

@testable import Tensors

/// Freed blocks are reused. No other test uses these sizes.
@Suite(.serialized) struct StoragePoolTests {
    private static let mark: Float = 31.5

    /// A block that is freed with a mark at its end.
    private func leave(_ count: Int) {
        var tensor = Tensor(uninitialized: [count])
        tensor[count - 1] = Self.mark
    }

    /// Whether a new block of this size is one that was freed with the mark.
    private func findsMark(_ count: Int) -> Bool {
        Tensor(uninitialized: [count])[count - 1] == Self.mark
    }

    @Test func aFreedBlockIsTakenAgain() {
        let count = 9_437_184  // 36 MiB, an eighth of a power of two
        leave(count)
        #expect(findsMark(count))
        // A request of nearly the same size gets the same block; a request of another size does
        // not.
        #expect(Tensor(uninitialized: [count - 5])[count - 6].isFinite)
        let zeros = Tensor(zeros: [count])
        #expect(zeros[count - 1] == 0 && zeros[0] == 0)
    }

    @Test func blocksThatAreHeldAtTheSameTimeAreApart() {
        var tensors = (0..<20).map { Tensor(repeating: Float($0), shape: [70_001]) }
        for round in 0..<20 {
            tensors.remove(at: round % tensors.count)
            tensors.append(Tensor(repeating: Float(100 + round), shape: [70_001]))
        }
        #expect(Set(tensors.map(\.address)).count == tensors.count)
        #expect(tensors.allSatisfy { tensor in tensor.values.allSatisfy { $0 == tensor[0] } })
    }

    /// Sizes that nobody asks for any more make room for those that are asked for now.
    @Test func sizesOutOfUseMakeRoom() {
        // 8 blocks of 40 MiB, held at once, are more than the pool keeps.
        let old = 10_485_760
        var held = (0..<8).map { _ in Tensor(uninitialized: [old]) }
        for i in held.indices { held[i][0] = 1 }
        held = []
        // The pool waits for some thousand requests before it takes a size for unused.
        for _ in 0..<5000 { _ = Tensor(uninitialized: [64]) }
        let new = 7_340_032  // 28 MiB
        leave(new)
        #expect(findsMark(new), "a block of a size in use went back to the system")
    }

    /// A float32 copy of 16-bit weights is kept and freed with them.
    @Test func widenedCopiesGoBackToo() {
        for _ in 0..<50 {
            let tensor = Tensor(repeating: 1.5, shape: [300_001]).converted(to: .bfloat16)
            #expect(tensor.pointer[300_000] == 1.5)
        }
    }
}
