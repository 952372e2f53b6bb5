import Foundation
import Tensors

/// Element-wise arithmetic with NumPy's broadcasting rule: shapes align at the last axis, and a
/// dimension of one repeats.
enum Broadcasting {
    package static func shape(_ left: [Int], _ right: [Int]) -> [Int]? {
        let rank = max(left.count, right.count)
        var shape = [Int](repeating: 1, count: rank)
        for axis in 0..<rank {
            let a = axis < rank - left.count ? 1 : left[axis - (rank - left.count)]
            let b = axis < rank - right.count ? 1 : right[axis - (rank - right.count)]
            guard a == b || a == 1 || b == 1 else { return nil }
            shape[axis] = a == 1 ? b : a
        }
        return shape
    }

    /// `shape` is the broadcast shape of both.
    static func combine(
        _ left: Tensor, _ right: Tensor, _ shape: [Int], _ operation: (Float, Float) -> Float
    ) -> Tensor {
        var result = Tensor(zeros: shape)
        let leftSteps = steps(left.shape, in: shape)
        let rightSteps = steps(right.shape, in: shape)
        let inner = shape.last ?? 1
        let outer = inner == 0 ? 0 : result.count / inner
        let leftInner = leftSteps.last ?? 0
        let rightInner = rightSteps.last ?? 0
        left.withUnsafeBufferPointer { a in
            right.withUnsafeBufferPointer { b in
                result.withUnsafeMutableBufferPointer { out in
                    var position = [Int](repeating: 0, count: max(0, shape.count - 1))
                    var (i, j) = (0, 0)
                    for row in 0..<outer {
                        for column in 0..<inner {
                            out[row * inner + column] = operation(
                                a[i + column * leftInner], b[j + column * rightInner])
                        }
                        // Advances to the next row like an odometer, the last axis but one first.
                        var axis = position.count - 1
                        while axis >= 0 {
                            position[axis] += 1
                            i += leftSteps[axis]
                            j += rightSteps[axis]
                            if position[axis] < shape[axis] { break }
                            i -= leftSteps[axis] * shape[axis]
                            j -= rightSteps[axis] * shape[axis]
                            position[axis] = 0
                            axis -= 1
                        }
                    }
                }
            }
        }
        return result
    }

    package static func map(_ tensor: Tensor, _ operation: (Float) -> Float) -> Tensor {
        var result = tensor
        result.withUnsafeMutableBufferPointer { values in
            for index in values.indices { values[index] = operation(values[index]) }
        }
        return result
    }

    /// The distance between neighbors along each axis of `shape` in an array of shape `own`; zero
    /// along repeated axes.
    private static func steps(_ own: [Int], in shape: [Int]) -> [Int] {
        var steps = [Int](repeating: 0, count: shape.count)
        var step = 1
        for axis in own.indices.reversed() {
            steps[axis + shape.count - own.count] = own[axis] == 1 ? 0 : step
            step *= own[axis]
        }
        return steps
    }
}

/// Reductions along one axis, or over all elements.
enum Reduction {
    /// Replaces each line along `axis` by the result of `body`: as many values, or one.
    static func alongAxis(
        _ tensor: Tensor, _ axis: Int, keepsAxis: Bool, _ body: ([Float]) -> [Float]
    ) -> Tensor {
        let size = tensor.shape[axis]
        let inner = tensor.shape[(axis + 1)...].reduce(1, *)
        let outer = tensor.shape[..<axis].reduce(1, *)
        var shape = tensor.shape
        if !keepsAxis { shape.remove(at: axis) }
        let source = tensor.values
        var values = [Float](repeating: 0, count: shape.reduce(1, *))
        let produced = keepsAxis ? size : 1
        for a in 0..<outer {
            for b in 0..<inner {
                let line = (0..<size).map { source[(a * size + $0) * inner + b] }
                for (index, value) in body(line).prefix(produced).enumerated() {
                    values[(a * produced + index) * inner + b] = value
                }
            }
        }
        return Tensor(values, shape: shape)
    }

    /// Summed in double precision: with a million terms float32 would lose three digits.
    package static func sum(_ values: [Float]) -> Double { values.reduce(0) { $0 + Double($1) } }

    package static func mean(_ values: [Float]) -> Double { sum(values) / Double(values.count) }

    static func norm(_ values: [some BinaryFloatingPoint]) -> Double {
        values.reduce(0) { $0 + Double($1) * Double($1) }.squareRoot()
    }

    static func logSumExp(_ values: [some BinaryFloatingPoint]) -> Double {
        guard let peak = values.max(), peak.isFinite else {
            return values.max().map { Double($0) } ?? .nan
        }
        return Double(peak)
            + log(values.reduce(0) { $0 + exp(Double($1) - Double(peak)) })
    }

    /// Nan if any value is.
    static func least(_ values: [some BinaryFloatingPoint]) -> Double {
        extreme(values, <)
    }

    /// Nan if any value is.
    static func largest(_ values: [some BinaryFloatingPoint]) -> Double {
        extreme(values, >)
    }

    private static func extreme<Number: BinaryFloatingPoint>(
        _ values: [Number], _ comesFirst: (Number, Number) -> Bool
    ) -> Double {
        guard var best = values.first else { return .nan }
        for value in values {
            if value.isNaN { return .nan }
            if comesFirst(value, best) { best = value }
        }
        return Double(best)
    }

    /// The place of the first value that no other comes before.
    static func place<Number: BinaryFloatingPoint>(
        in values: [Number], _ comesFirst: (Number, Number) -> Bool
    ) -> Double {
        Double(values.indices.reduce(0) { comesFirst(values[$1], values[$0]) ? $1 : $0 })
    }
}
