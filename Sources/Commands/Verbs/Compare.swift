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
            return try compare(one, two, invocation)
        }
        if let one = first.asTensor, let two = second.asTensor, !first.isNumber || !second.isNumber
        {
            guard one.shape == two.shape else {
                throw invocation.located(
                    EvaluationError.shapesDiffer(operation: "compare", one.shape, two.shape),
                    at: "second")
            }
            return compare(one, two)
        }
        if let one = first.asNumber, let two = second.asNumber {
            return .comparison(
                one == two,
                StyledText(
                    one == two
                        ? "equal"
                        : "\(NumberText.significant(two)) - \(NumberText.significant(one)) = "
                            + NumberText.significant(two - one)))
        }
        guard first.kind == second.kind else {
            return .comparison(
                false, StyledText("different kinds: \(first.aKind) and \(second.aKind)"))
        }
        var text = StyledText(first.equals(second) ? "equal" : "different")
        if !first.equals(second) {
            text.line("first   ", .faint)
            text.append(first.summary)
            text.line("second  ", .faint)
            text.append(second.summary)
        }
        return .comparison(first.equals(second), text)
    }

    private static func compare(_ one: Tensor, _ two: Tensor) -> CommandResult {
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
        let relative = (squares / max(ones, 1e-300)).squareRoot()
        let cosine = products / max((ones * twos).squareRoot(), 1e-300)
        let data = Value.record([
            "equal": .bool(differing == 0), "differing": Value(differing),
            "count": Value(one.count), "largest": .number(largest),
            "relative": .number(relative), "cosine": .number(cosine),
        ])
        guard differing > 0 else {
            return CommandResult(Display(StyledText("equal, every bit"), data: data))
        }
        var table = Table([.init(""), .init("")])
        table.styles = [0: .faint]
        table.append([
            "values that differ",
            "\(NumberText.grouped(differing)) of \(NumberText.grouped(one.count))",
        ])
        table.append(["largest difference", NumberText.significant(largest, digits: 5)])
        table.append([
            "relative",
            NumberText.significant(relative, digits: 4),
        ])
        table.append([
            "cosine",
            NumberText.significant(cosine, digits: 6),
        ])
        var document = Document()
        document.line(table, showsTitles: false)
        return CommandResult(document, Appearance(), data: data)
    }

    private static func compare(
        _ one: ModelObject, _ two: ModelObject, _ invocation: Invocation
    ) throws -> CommandResult {
        let (a, b) = (one.model.parameters, two.model.parameters)
        guard a.layout == b.layout else {
            return CommandResult(
                Display(
                    StyledText("models of different shapes: \(one.summary); \(two.summary)"),
                    data: .record(["equal": .bool(false), "same_shape": .bool(false)])))
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
        let share = (squares / max(whole, 1e-300)).squareRoot()
        let changes = rows.map { row -> Value in
            .record([
                "name": .text(row.name), "change": .number(row.change),
                "share": .number(row.share),
            ])
        }
        let data = Value.record([
            "equal": .bool(squares == 0), "share": .number(share), "tensors": .list(changes),
        ])
        guard squares > 0 else {
            return CommandResult(Display(StyledText("the same weights, every bit"), data: data))
        }
        var document = Document("weights differ by ", .heading)
        document.append(
            NumberText.percent(share, decimals: 3)
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
        document.line(table)
        return CommandResult(document, invocation.appearance, data: data)
    }
}

extension CommandResult {
    fileprivate static func comparison(_ isEqual: Bool, _ text: StyledText) -> CommandResult {
        CommandResult(Display(text, data: .record(["equal": .bool(isEqual)])))
    }
}
