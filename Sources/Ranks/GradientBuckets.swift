import Tensors
import Transformers

/// Gradients that are summed together: a sum of many small tensors, as those of adapters, would
/// spend its time waiting for messages.
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

    /// Gives every bucket as one tensor, and keeps its new elements.
    func forEach(_ set: inout ParameterSet, _ body: (inout Tensor) -> Void) {
        for range in ranges {
            if range.count == 1 {
                set.update(range.lowerBound, body)
                continue
            }
            var bucket = Tensor(uninitialized: [counts[range].reduce(0, +)])
            bucket.withUnsafeMutableBufferPointer { target in
                var place = 0
                for number in range {
                    set.tensors[number].withUnsafeBufferPointer { source in
                        _ = UnsafeMutableBufferPointer(rebasing: target[place...])
                            .update(from: source)
                        place += source.count
                    }
                }
            }
            body(&bucket)
            bucket.withUnsafeBufferPointer { source in
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
    }
}
