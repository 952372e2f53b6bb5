import Tensors
import Testing
import Transformers

/// The largest difference relative to the largest expected value; infinite if counts differ or a
/// number is not finite.
public func relativeError(_ found: [Double], _ wanted: [Double]) -> Double {
    guard found.count == wanted.count, found.allSatisfy(\.isFinite) else { return .infinity }
    let scale = wanted.map(abs).max() ?? 0
    return (zip(found, wanted).map { abs($0 - $1) }.max() ?? 0) / max(scale, 1e-12)
}

public func relativeError(_ found: [Float], _ wanted: [Float]) -> Double {
    relativeError(found.map(Double.init), wanted.map(Double.init))
}

/// The largest of the errors of all tensors.
public func relativeError(_ found: ParameterSet, _ wanted: ParameterSet) -> Double {
    guard found.names == wanted.names else { return .infinity }
    return zip(found.tensors, wanted.tensors).map { relativeError($0.values, $1.values) }.max() ?? 0
}

/// Expects that no element differs by more than `tolerance` times `scale`, which is by default the
/// largest expected value. A failure names the element with the largest difference.
public func expectClose(
    _ found: [Double], _ wanted: [Double], within tolerance: Double, scale: Double? = nil,
    _ name: @autoclosure () -> String = "values", sourceLocation: SourceLocation = #_sourceLocation
) {
    guard found.count == wanted.count else {
        Issue.record(
            "\(name()): \(found.count) numbers where \(wanted.count) are expected",
            sourceLocation: sourceLocation)
        return
    }
    let scale = max(scale ?? (wanted.map(abs).max() ?? 0), 1e-12)
    // NaN counts as farther than any number.
    func distance(_ i: Int) -> Double {
        let difference = abs(found[i] - wanted[i])
        return difference.isNaN ? .infinity : difference
    }
    guard let worst = found.indices.max(by: { distance($0) < distance($1) }),
        distance(worst) > tolerance * scale
    else { return }
    Issue.record(
        """
        \(name()): element \(worst) is \(found[worst]), expected \(wanted[worst]); that is off by \
        \(distance(worst) / scale) of \(scale), more than \(tolerance)
        """, sourceLocation: sourceLocation)
}

public func expectClose(
    _ found: [Float], _ wanted: [Double], within tolerance: Double, scale: Double? = nil,
    _ name: @autoclosure () -> String = "values", sourceLocation: SourceLocation = #_sourceLocation
) {
    expectClose(
        found.map(Double.init), wanted, within: tolerance, scale: scale, name(),
        sourceLocation: sourceLocation)
}

public func expectClose(
    _ found: Tensor, _ wanted: Tensor, within tolerance: Double,
    _ name: @autoclosure () -> String = "tensor", sourceLocation: SourceLocation = #_sourceLocation
) {
    #expect(found.shape == wanted.shape, "\(name())", sourceLocation: sourceLocation)
    expectClose(
        found.values, wanted.values.map(Double.init), within: tolerance, name(),
        sourceLocation: sourceLocation)
}

/// Whether two texts are the same bytes; `==` compares by canonical equivalence.
public func sameBytes(_ left: String, _ right: String) -> Bool {
    left.utf8.elementsEqual(right.utf8)
}
