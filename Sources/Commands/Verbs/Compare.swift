import Rendering
import Tensors
import Values

extension CommandTable {
    static let compareCommand = Command(
        "compare", .looking, "shows the difference of two values",
        effect: .looks,
        operands: [
            .required("first", .value, "a value"), .required("second", .value, "another"),
        ],
        example: "compare model base", run: compare)

    private static func compare(_ invocation: Invocation) throws -> CommandResult {
        guard let first = try invocation.value("first"),
            let second = try invocation.value("second")
        else { return CommandResult() }
        if let one = first.object(ModelObject.self), let two = second.object(ModelObject.self) {
            return CommandResult(text: try compare(one, two, invocation))
        }
        if let one = first.asTensor, let two = second.asTensor, !first.isNumber || !second.isNumber
        {
            guard one.shape == two.shape else {
                throw invocation.located(
                    EvaluationError.shapesDiffer(operation: "compare", one.shape, two.shape),
                    at: "second")
            }
            return CommandResult(text: compare(one, two))
        }
        if let one = first.asNumber, let two = second.asNumber {
            return CommandResult(
                text: StyledText(
                    one == two
                        ? "equal"
                        : "\(NumberText.significant(two)) - \(NumberText.significant(one)) = "
                            + NumberText.significant(two - one)))
        }
        guard first.kind == second.kind else {
            return CommandResult(
                text: StyledText("different kinds: \(first.aKind) and \(second.aKind)"))
        }
        var text = StyledText(first.equals(second) ? "equal" : "different")
        if !first.equals(second) {
            text.line("first   ", .faint)
            text.append(first.summary)
            text.line("second  ", .faint)
            text.append(second.summary)
        }
        return CommandResult(text: text)
    }

    private static func compare(_ one: Tensor, _ two: Tensor) -> StyledText {
        var largest = 0.0
        var (squares, ones, twos, products) = (0.0, 0.0, 0.0, 0.0)
        var differing = 0
        for (a, b) in zip(one.values, two.values) {
            let (x, y) = (Double(a), Double(b))
            if x != y { differing += 1 }
            largest = max(largest, (x - y).magnitude)
            squares += (x - y) * (x - y)
            ones += x * x
            twos += y * y
            products += x * y
        }
        guard differing > 0 else { return StyledText("equal, every bit") }
        var table = Table([.init(""), .init("")])
        table.styles = [0: .faint]
        table.append([
            "values that differ",
            "\(NumberText.grouped(differing)) of \(NumberText.grouped(one.count))",
        ])
        table.append(["largest difference", NumberText.significant(largest, digits: 5)])
        table.append([
            "relative",
            NumberText.significant((squares / max(ones, 1e-300)).squareRoot(), digits: 4),
        ])
        table.append([
            "cosine",
            NumberText.significant(products / max((ones * twos).squareRoot(), 1e-300), digits: 6),
        ])
        return table.rendered(Appearance(), showsTitles: false)
    }

    private static func compare(
        _ one: ModelObject, _ two: ModelObject, _ invocation: Invocation
    ) throws -> StyledText {
        let (a, b) = (one.model.parameters, two.model.parameters)
        guard a.layout == b.layout else {
            return StyledText("models of different shapes: \(one.summary); \(two.summary)")
        }
        var rows: [(name: String, change: Double, share: Double)] = []
        var (squares, whole) = (0.0, 0.0)
        for (name, (x, y)) in zip(a.names, zip(a.tensors, b.tensors)) {
            var change = 0.0
            var size = 0.0
            x.withUnsafeBufferPointer { x in
                y.withUnsafeBufferPointer { y in
                    for (p, q) in zip(x, y) {
                        change += (Double(p) - Double(q)) * (Double(p) - Double(q))
                        size += Double(q) * Double(q)
                    }
                }
            }
            squares += change
            whole += size
            rows.append((name, change.squareRoot(), (change / max(size, 1e-300)).squareRoot()))
        }
        guard squares > 0 else { return StyledText("the same weights, every bit") }
        var text = StyledText("weights differ by ", .heading)
        text.append(
            NumberText.percent((squares / max(whole, 1e-300)).squareRoot(), decimals: 3)
                + " of their norm")
        var table = Table([
            .init("changed most"), .init("norm of change", isNumeric: true),
            .init("share", isNumeric: true),
        ])
        for row in rows.sorted(by: { $0.share > $1.share }).prefix(8) {
            table.append([
                row.name, NumberText.significant(row.change, digits: 4),
                NumberText.percent(row.share, decimals: 3),
            ])
        }
        text.line(table.rendered(invocation.appearance))
        return text
    }
}
