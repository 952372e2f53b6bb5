import Layers
import Tensors

/// Keys and values of every block for the rows generated so far. Used by one thread at a time.
final class KeyValueCache: @unchecked Sendable {
    // Sendable only so that a context may hold it; a generation never leaves its thread.

    private var keys: [QuantizedKVRows]
    private var values: [QuantizedKVRows]
    /// The first block that it keeps.
    private let first: Int
    /// The destination rows of the current batch, run by run.
    var destinations: [Range<Int>] = []

    /// Memory for `rows` rows in each of some blocks.
    init(blocks: Range<Int>, rows: Int, heads: Int, size: Int) {
        first = blocks.lowerBound
        keys = blocks.map { _ in QuantizedKVRows(heads: heads, rows: rows, size: size) }
        values = keys.map { _ in QuantizedKVRows(heads: heads, rows: rows, size: size) }
    }

    func store(block: Int, _ key: Tensor, _ value: Tensor) {
        keys[block - first].store(key, in: destinations)
        values[block - first].store(value, in: destinations)
    }

    /// Keys and values of a block.
    func rows(block: Int) -> (keys: QuantizedKVRows, values: QuantizedKVRows) {
        (keys[block - first], values[block - first])
    }
}
