import Layers
import Tensors

/// Keys and values of every block for the rows generated so far. Used by one thread at a time.
final class KeyValueCache: @unchecked Sendable {
    // Sendable only so that a context may hold it; a generation never leaves its thread.

    private(set) var keys: [QuantizedKVRows]
    private(set) var values: [QuantizedKVRows]
    /// The destination rows of the current batch, run by run.
    var destinations: [Range<Int>] = []

    /// Memory for `rows` rows in each block.
    init(blocks: Int, rows: Int, heads: Int, size: Int) {
        keys = (0..<blocks).map { _ in QuantizedKVRows(heads: heads, rows: rows, size: size) }
        values = keys.map { _ in QuantizedKVRows(heads: heads, rows: rows, size: size) }
    }

    func store(block: Int, _ key: Tensor, _ value: Tensor) {
        keys[block].store(key, in: destinations)
        values[block].store(value, in: destinations)
    }
}
