import CProcessor
import Foundation
import Tensors

/// x_i ← exp(factor · (x_i − max x)) / Σ, over `count` ≥ 1 elements; the factor is positive.
@inline(__always)
func softmaxInPlace(_ x: UnsafeMutablePointer<Float>, _ count: Int, times factor: Float = 1) {
    let (_, sum) = exponentialsInPlace(x, count, times: factor)
    scale(x, by: 1 / sum, count)
}

/// x_i ← exp(factor · (x_i − max x)); returns the maximum of x and the sum of the exponentials.
@inline(__always)
func exponentialsInPlace(
    _ x: UnsafeMutablePointer<Float>, _ count: Int, times factor: Float = 1
) -> (maximum: Float, sum: Float) {
    forEachExponential(UnsafePointer(x), count, times: factor) { e, i in
        if i &+ 16 <= count {
            x.store(e, i)
        } else {
            for lane in 0..<count &- i { x[i &+ lane] = e[lane] }
        }
    }
}

/// log Σ exp x_i, in the same arithmetic.
func logSumOfExponentials(_ x: UnsafePointer<Float>, _ count: Int) -> Float {
    let (largest, sum) = forEachExponential(x, count) { _, _ in }
    return largest + log(sum)
}

/// Passes exp(factor · (x_i − max x)) to `body`, sixteen at a time, with the index of the first.
@inline(__always)
private func forEachExponential(
    _ x: UnsafePointer<Float>, _ count: Int, times factor: Float = 1,
    _ body: (Vector, Int) -> Void
) -> (maximum: Float, sum: Float) {
    let largest = maximum(x, count)
    var lanes = Vector.zero
    var i = 0
    while i &+ 16 <= count {
        let e = exponential((x.vector(i) - largest) * factor)
        body(e, i)
        lanes += e
        i &+= 16
    }
    if i < count {
        // The missing lanes of the last vector are −∞ and count as zero.
        var rest = Vector(repeating: -.infinity)
        for lane in 0..<count &- i { rest[lane] = x[i &+ lane] }
        let e = exponential((rest - largest) * factor)
        body(e, i)
        lanes += e
    }
    return (largest, lanes.sum())
}

/// The same for a row of numbers; −∞ and 0 for an empty row.
@discardableResult
package func exponentials(_ row: inout [Float]) -> (maximum: Float, sum: Float) {
    row.withUnsafeMutableBufferPointer { row in
        guard let base = row.baseAddress, !row.isEmpty else { return (-.infinity, 0) }
        return exponentialsInPlace(base, row.count)
    }
}

@inline(__always)
func maximum(_ x: UnsafePointer<Float>, _ count: Int) -> Float {
    var largest = -Float.infinity
    var i = 0
    if count >= 16 {
        var lanes = x.vector(0)
        i = 16
        while i &+ 16 <= count {
            let next = x.vector(i)
            lanes.replace(with: next, where: next .> lanes)
            i &+= 16
        }
        largest = largestLane(lanes)
    }
    while i < count {
        if x[i] > largest { largest = x[i] }
        i &+= 1
    }
    return largest
}

@inline(__always)
func scale(_ x: UnsafeMutablePointer<Float>, by factor: Float, _ count: Int) {
    var i = 0
    while i &+ 16 <= count {
        x.store(x.vector(i) * factor, i)
        i &+= 16
    }
    while i < count {
        x[i] *= factor
        i &+= 1
    }
}

/// y = softmax(x) gives dx = y · (dy − Σ y dy): overwrites `dy` with dx.
@inline(__always)
func softmaxBackward(
    _ y: UnsafePointer<Float>, _ dy: UnsafeMutablePointer<Float>, _ count: Int
) {
    let mean = dot(y, UnsafePointer(dy), count)
    var i = 0
    while i &+ 16 <= count {
        dy.store(y.vector(i) * (dy.vector(i) - mean), i)
        i &+= 16
    }
    while i < count {
        dy[i] = y[i] * (dy[i] - mean)
        i &+= 1
    }
}
