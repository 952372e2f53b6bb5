import NumberTypes
import Tensors

/// Tensors that a kernel computes in float32, and that are stored so or rounded to bfloat16 for
/// products that would round them.
enum StoredResults {
    /// Numbers that are computed before they are rounded: they stay in the first cache.
    private static let runLength = 1024

    /// Where a kernel writes a run of numbers, one place for each tensor.
    typealias Places = [UnsafeMutablePointer<Float>]

    /// `number` tensors of one shape. `body` computes `count` elements of each, from the one at
    /// `first` on, and writes them to the tensor's place, from 0 on. It is called for a whole
    /// number of units.
    static func tensors(
        _ number: Int, shape: [Int], _ format: StoredFormat, unit: Int = 1,
        _ body: (_ first: Int, _ count: Int, _ places: Places) -> Void
    ) -> [Tensor] {
        var targets: [Memory] = []
        let tensors = (0..<number).map { _ in
            Tensor(uninitialized: shape, format) { targets.append(Memory(start: $0)) }
        }
        let run = max(unit, runLength / unit * unit)
        targets.withUnsafeBufferPointer { targets in
            Workers.split(shape.reduce(1, *), grain: max(unit, (1 << 13) / unit * unit)) { range in
                if format == .bfloat16 {
                    computeRounded(targets, range, run, body)
                } else {
                    body(
                        range.lowerBound, range.count,
                        targets.map { $0.floats + range.lowerBound })
                }
            }
        }
        return tensors
    }

    /// A range of elements, so many at a time.
    private static func computeRounded(
        _ targets: UnsafeBufferPointer<Memory>, _ range: Range<Int>, _ run: Int,
        _ body: (_ first: Int, _ count: Int, _ places: Places) -> Void
    ) {
        withUnsafeTemporaryAllocation(
            byteCount: 4 * targets.count * run, alignment: 64
        ) { scratch in
            guard let start = scratch.baseAddress?.assumingMemoryBound(to: Float.self) else {
                return
            }
            let places = targets.indices.map { start + $0 * run }
            for first in stride(from: range.lowerBound, to: range.upperBound, by: run) {
                let count = min(run, range.upperBound - first)
                body(first, count, places)
                for n in targets.indices {
                    narrow(start + n * run, count, .bfloat16, into: targets[n].start + 2 * first)
                }
            }
        }
    }

    /// A matrix whose rows `body` computes each by itself.
    static func rows(
        _ shape: [Int], _ format: StoredFormat,
        _ body: (_ row: Int, _ place: UnsafeMutablePointer<Float>) -> Void
    ) -> Tensor {
        let width = max(1, shape.last ?? 1)
        return tensors(1, shape: shape, format, unit: width) { first, count, places in
            let place = places[0] - first
            for row in first / width..<(first + count) / width { body(row, place + row * width) }
        }[0]
    }

    /// The memory of a tensor; each worker writes its own elements.
    private struct Memory: @unchecked Sendable {
        let start: UnsafeMutableRawPointer
        var floats: UnsafeMutablePointer<Float> { start.assumingMemoryBound(to: Float.self) }
    }
}

/// Calls `body` with the first of every sixteen numbers, and `last` with each number after them.
@inline(__always)
func forEachVector(_ count: Int, _ body: (Int) -> Void, last: (Int) -> Void) {
    var i = 0
    while i &+ 16 <= count {
        body(i)
        i &+= 16
    }
    while i < count {
        last(i)
        i &+= 1
    }
}
