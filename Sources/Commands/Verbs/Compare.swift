import CommandLanguage
import Rendering
import Tensors
import Values

extension CommandTable {
    static let compareCommand = Command(
        "compare", .looking, "shows the difference of two values, or of several runs",
        about: """
            Of two models: how far the weights moved, by layer and by kind of weight. With `on` \
            instead: the mean log-prob and the perplexity of texts under both, and KL a token. \
            A share is the norm of the change divided by the norm of the second value. Of two \
            verdicts: how often both judges say the same, and Cohen's kappa. Of runs: a table with \
            the seed, the settings that differ, the last loss of each log and each win rate of \
            the workspaces, and their losses as lines of one chart.
            """,
        forms: [
            Command.Form(
                nil, "shows the difference of two values", makes: ["_"], effect: .looks,
                operands: [
                    .required("first", .value, "a value"), .required("second", .value, "another"),
                ],
                options: [
                    OptionSpecification(
                        "on", .path,
                        "of models: a text in quotes, (an expression), or a file with field="),
                    OptionSpecification("field", .word, "the field of the file's lines"),
                ],
                example: "compare model base", run: compare),
            compareRunsForm,
        ])

    private static func compare(_ invocation: Invocation) throws -> CommandResult {
        guard let first = try invocation.value("first"),
            let second = try invocation.value("second")
        else { return CommandResult() }
        for key in ["on", "field"] where invocation.has(key) {
            guard first.object(ModelObject.self) != nil, second.object(ModelObject.self) != nil
            else { throw invocation.error("`\(key)` is for two models", at: key) }
        }
        if invocation.has("field"), !invocation.has("on") {
            throw invocation.error("`field` names a field of the file that `on` names", at: "field")
        }
        if let one = first.object(ModelObject.self), let two = second.object(ModelObject.self) {
            return try compare(
                invocation.computing(one), invocation.computing(two), invocation)
        }
        if let one = first.object(VerdictsObject.self),
            let two = second.object(VerdictsObject.self)
        {
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
            return CommandResult(
                value: data, Display(StyledText("equal, every bit"), data: data))
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
        return CommandResult(value: data, Display(document, Appearance(), data: data))
    }
}

extension CommandResult {
    fileprivate static func comparison(_ isEqual: Bool, _ text: StyledText) -> CommandResult {
        let data = Value.record(["equal": .bool(isEqual)])
        return CommandResult(value: data, Display(text, data: data))
    }
}
