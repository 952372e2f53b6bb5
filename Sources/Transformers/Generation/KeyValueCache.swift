import Layers
import Tensors

/// Keys and values of every block for the rows generated so far, (K, rows, size) each. Used by one thread at a time.
final class KeyValueCache: @unchecked Sendable {
    // Sendable only so that a context may hold one; a generation never leaves its thread.

    private(set) var keys: [Tensor]
    private(set) var values: [Tensor]
    /// Where the rows of the batch at hand go, run by run.
    var destinations: [Range<Int>] = []

    /// Room for `rows` rows in each block.
    init(blocks: Int, rows: Int, heads: Int, size: Int) {
        keys = (0..<blocks).map { _ in Tensor(uninitialized: [heads, rows, size]) }
        values = (0..<blocks).map { _ in Tensor(uninitialized: [heads, rows, size]) }
    }

    func store(block: Int, _ key: Tensor, _ value: Tensor) {
        key.storeRows(in: destinations, of: &keys[block])
        value.storeRows(in: destinations, of: &values[block])
    }
}
