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

    /// Of free blocks beyond the allowance, the size that was not asked for the longest goes first.
    @Test func sizesOutOfUseMakeRoom() {
        let pool = StoragePool(allowance: 4 * 4096 * 4)
        let old = (0..<4).map { _ in pool.take(4096) }
        let late = pool.take(2048)
        for block in old { pool.give(block, 4096) }
        pool.give(late, 2048)
        // As many bytes as were in use at once are kept.
        #expect(pool.freeBytes == 4 * (4 * 4096 + 2048))
        #expect(pool.take(2048) == late)
        pool.give(late, 2048)
        pool.trim()
        #expect(pool.freeBytes == 4 * (3 * 4096 + 2048))
        #expect(pool.take(2048) == late)
        pool.give(late, 2048)
    }

    /// Work that repeats takes all its blocks from the pool, and no more than the most that was in
    /// use at once is ever held.
    @Test func repeatedWorkTakesNothingFromTheSystem() {
        let pool = StoragePool(allowance: 0)
        func step() -> Set<UnsafeMutablePointer<Float>> {
            let blocks = (1...20).map { (pool.take(64 * $0), 64 * $0) }
            for (block, capacity) in blocks.reversed() { pool.give(block, capacity) }
            return Set(blocks.map(\.0))
        }
        let first = step()
        let most = pool.freeBytes
        #expect(most == 4 * 64 * 210)
        #expect(step() == first)
        #expect(pool.freeBytes == most)
        // A larger block in use leaves less room for free ones.
        let large = pool.take(64 * 100)
        #expect(pool.freeBytes <= most - 4 * 64 * 100)
        pool.give(large, 64 * 100)
        pool.trim()
        #expect(pool.freeBytes == 0)
    }

    /// Blocks of their own pages, small blocks of the heap, and sizes around the boundary.
    @Test(arguments: [64, 1 << 20, (2 << 20) - 64, 2 << 20, (2 << 20) + 4, 9_437_184])
    func memoryOfTheSystemIsWritable(bytes: Int) {
        let block = SystemMemory.allocate(bytes)
        #expect(Int(bitPattern: block) % 64 == 0)
        block.storeBytes(of: 1, as: UInt8.self)
        block.storeBytes(of: 2, toByteOffset: bytes - 1, as: UInt8.self)
        #expect(block.load(as: UInt8.self) == 1)
        #expect(block.load(fromByteOffset: bytes - 1, as: UInt8.self) == 2)
        SystemMemory.free(block, bytes)
    }

    /// A float32 copy of 16-bit weights is kept and freed with them.
    @Test func widenedCopiesGoBackToo() {
        for _ in 0..<50 {
            let tensor = Tensor(repeating: 1.5, shape: [300_001]).converted(to: .bfloat16)
            #expect(tensor.pointer[300_000] == 1.5)
        }
    }
}
