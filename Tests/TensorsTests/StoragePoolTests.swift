import Testing

@testable import Tensors

/// Freed blocks are reused. A pool of its own serves each test, since the shared one serves all
/// tests that run at the same time.
@Suite struct StoragePoolTests {
    @Test func aFreedBlockIsTakenAgain() {
        let pool = StoragePool()
        let first = pool.take(4096)
        pool.give(first, 4096)
        let other = pool.take(8192)
        #expect(other != first)
        #expect(pool.take(4096) == first)
        // The only block of this size is in use again.
        let second = pool.take(4096)
        #expect(second != first)
        for (block, capacity) in [(first, 4096), (second, 4096), (other, 8192)] {
            pool.give(block, capacity)
        }
    }

    @Test func nearlyEqualSizesShareBlocks() {
        let count = 9_437_184  // an eighth of a power of two
        #expect(Storage.roundedCapacity(count) == count)
        #expect(Storage.roundedCapacity(count - 5) == count)
        #expect(Storage.roundedCapacity(count + 1) > count)
        let zeros = Tensor(zeros: [count - 5])
        #expect(zeros[count - 6] == 0 && zeros[0] == 0)
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
        let pool = StoragePool(limit: 4 * 4096 * 4)
        let old = (0..<4).map { _ in pool.take(4096) }
        for block in old { pool.give(block, 4096) }
        // The pool is full, and the old size may still be in use: the block goes to the system.
        let early = pool.take(2048)
        pool.give(early, 2048)
        #expect(pool.freeBytes == 4 * 4096 * 4)
        // After some thousand requests for others, the old size counts as unused.
        for _ in 0..<5000 { pool.give(pool.take(64), 64) }
        let late = pool.take(2048)
        pool.give(late, 2048)
        #expect(pool.take(2048) == late)
        #expect(pool.freeBytes < 4 * 4096 * 4)
        pool.give(late, 2048)
    }

    /// A float32 copy of 16-bit weights is kept and freed with them.
    @Test func widenedCopiesGoBackToo() {
        for _ in 0..<50 {
            let tensor = Tensor(repeating: 1.5, shape: [300_001]).converted(to: .bfloat16)
            #expect(tensor.pointer[300_000] == 1.5)
        }
    }
}
