import Foundation
import Tensors
import Transformers

/// Gradients that are summed and sent together: of many small tensors, as those of adapters, each
/// would wait for a message of its own.
struct GradientBuckets {
    /// Contiguous numbers of tensors; one that is larger than a bucket is alone.
    let ranges: [Range<Int>]
    private let counts: [Int]

    /// - Parameters:
    ///   - counts: elements of each tensor.
    ///   - limit: elements of a bucket.
    init(_ counts: [Int], limit: Int = 8 << 20) {
        var ranges: [Range<Int>] = []
        var (start, size) = (0, 0)
        for (number, count) in counts.enumerated() {
            if number > start, size + count > limit {
                ranges.append(start..<number)
                (start, size) = (number, 0)
            }
            size += count
        }
        if start < counts.count { ranges.append(start..<counts.count) }
        self.ranges = ranges
        self.counts = counts
    }

    /// Gives every bucket with its number as one tensor, and keeps its new elements.
    func forEach(
        _ set: inout ParameterSet, _ body: (_ number: Int, inout Tensor) throws -> Void
    ) rethrows {
        for (number, range) in ranges.enumerated() {
            var bucket = Tensor(uninitialized: [counts[range].reduce(0, +)])
            bucket.withUnsafeMutableBufferPointer { target in
                var place = 0
                for tensor in set.tensors[range] {
                    tensor.withUnsafeBufferPointer { source in
                        _ = UnsafeMutableBufferPointer(rebasing: target[place...])
                            .update(from: source)
                        place += source.count
                    }
                }
            }
            try body(number, &bucket)
            bucket.withUnsafeBufferPointer { put($0, range, into: &set) }
        }
    }

    /// Puts the elements of a bucket that another process has sent into their tensors.
    ///
    /// - Throws: `RankError.badMessage` if they are not as many as the bucket has.
    func put(_ bytes: Data, bucket number: Int, into set: inout ParameterSet) throws {
        guard ranges.indices.contains(number),
            bytes.count == 4 * counts[ranges[number]].reduce(0, +)
        else { throw RankError.badMessage("\(bytes.count) bytes of gradients") }
        bytes.withUnsafeBytes { put($0.bindMemory(to: Float.self), ranges[number], into: &set) }
    }

    private func put(
        _ source: UnsafeBufferPointer<Float>, _ range: Range<Int>, into set: inout ParameterSet
    ) {
        var place = 0
        for number in range {
            set.update(number) { tensor in
                tensor.withUnsafeMutableBufferPointer { target in
                    _ = target.update(
                        from: UnsafeBufferPointer(
                            rebasing: source[place..<place + target.count]))
                    place += target.count
                }
            }
        }
    }
}
