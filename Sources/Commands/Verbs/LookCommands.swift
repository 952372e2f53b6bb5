import Alignment
import CommandLanguage
import Rendering
import Tensors
import Tokenizers
import Transformers
import Values
import Workspaces

extension CommandTable {
    static let lookCommands: [Command] = [
        Command(
            "show", .looking, "shows a value at length",
            about: """
                S is drawn as a heat map; a rollout as a token strip, each token colored by \
                log p(token | its constitution) - log p(token | another one); text is shown whole.
                """,
            effect: .looks,
            operands: [.optional("value", .expression, "what to show; the last result")],
            options: [
                OptionSpecification(
                    "against", .number, "the other constitution, for a token strip"),
                OptionSpecification("count", .number, "how many items; 8"),
                MethodKey.model,
            ],
            example: "show logprobs", run: show),
        Command(
            "plot", .looking, "draws numbers: here, or in a file",
            about: """
                A list or a tensor with one axis is drawn as a line, a matrix as a heat map, a log \
                as its loss. With FILE.svg or FILE.png gnuplot draws it.
                """,
            effect: .looks,
            operands: [
                .required("value", .expression, "numbers, a log, a matrix"),
                .optional("path", .path, "an .svg or .png"),
            ],
            options: [
                OptionSpecification("y", .word, "which column of a log; loss"),
                OptionSpecification("title", .text, "a line above the picture"),
            ],
            example: "plot [3, 1, 2]", run: plot),
        Command(
            "compare", .looking, "how two values differ",
            effect: .looks,
            operands: [
                .required("first", .value, "a value"), .required("second", .value, "another"),
            ],
            example: "compare model base", run: compare),
        Command(
            "describe", .looking, "what a value is, what it holds, and what made it",
            about: """
                With gates=N a model of the shipped world is measured: adherence with a careful \
                author named and with none, malformed texts, copied details, and its principles, \
                from N queries each.
                """,
            effect: .looks,
            operands: [.required("value", .expression, "a name or any value")],
            options: [OptionSpecification("gates", .number, "queries to measure a model with")],
            example: "describe model", run: describe),
    ]

    // MARK: show

    private static func show(_ invocation: Invocation) throws -> CommandResult {
        let value: Value
        if let argument = invocation.argument("value") {
            value = try invocation.value(argument)
        } else if let last = invocation.session.lastResult {
            value = last
        } else {
            throw invocation.located(EvaluationError.noLastResult)
        }
        let count = try invocation.integer("count", atLeast: 1, atMost: 10_000) ?? 8
        switch value {
        case .object(let rollout as RolloutObject):
            return CommandResult(text: try strip(rollout, invocation))
        case .object(let rollouts as RolloutsObject):
            var text = StyledText("rollouts: \(rollouts.summary)", .heading)
            for index in 0..<min(count, rollouts.count ?? 0) {
                guard case .object(let one as RolloutObject) = rollouts.item(index) else {
                    continue
                }
                text.line("")
                text.line(try strip(one, invocation))
            }
            return CommandResult(text: text)
        case .object(let logprobs as LogprobsObject):
            var text = StyledText("logprobs ", .heading)
            text.append(logprobs.summary)
            for (index, query) in logprobs.scores.prefix(count).enumerated() {
                text.line("[\(index)] \(query.id)", .name)
                text.line(
                    HeatMap(
                        rows: query.scores.constitutions, columns: query.scores.responses,
                        values: query.scores.values
                    ).rendered(invocation.appearance))
            }
            if logprobs.scores.count > count {
                text.line("… and \(logprobs.scores.count - count) more; count= shows them", .faint)
            }
            return CommandResult(text: text)
        case .tensor(let tensor) where tensor.shape.count == 2:
            var text = StyledText(TensorText.summary(tensor), .faint)
            text.line(
                HeatMap(
                    rows: tensor.shape[0], columns: tensor.shape[1],
                    values: tensor.values.map { Double($0) }, marksDiagonal: false, rowLabel: "",
                    columnLabel: ""
                ).rendered(invocation.appearance))
            return CommandResult(text: text)
        case .list(let items):
            var text = StyledText("list of \(NumberText.grouped(items.count))", .faint)
            for (index, item) in items.prefix(count).enumerated() {
                text.line("[\(index)] ", .faint)
                text.append(item.rendered(invocation.appearance))
            }
            if items.count > count { text.line("… and \(items.count - count) more", .faint) }
            return CommandResult(text: text)
        case .record(let record):
            var text = StyledText()
            for (key, value) in record {
                text.line("\(key): ", .name)
                text.append(value.rendered(invocation.appearance))
            }
            return CommandResult(text: text)
        default: return CommandResult(text: value.rendered(invocation.appearance))
        }
    }

    /// The response as a token strip, or as plain text where it cannot be scored.
    private static func strip(
        _ rollout: RolloutObject, _ invocation: Invocation
    ) throws -> StyledText {
        let group = rollout.group
        var text = StyledText("rollout of \(group.id)", .heading)
        let own = rollout.response.constitution
        guard let model = try invocation.objectIfBound(ModelObject.self, "model") else {
            text = rollout.rendered(invocation.appearance)
            text.line("a token strip needs `model`", .faint)
            return text
        }
        guard group.prompts.count > 1 else { return rollout.rendered(invocation.appearance) }
        let other = try invocation.integer("against", atLeast: 0) ?? (own == 0 ? 1 : 0)
        guard other != own, group.prompts.indices.contains(other) else {
            throw invocation.located(
                EvaluationError.outOfRange(
                    role: "`against`",
                    rule: "another constitution, 0 to \(group.prompts.count - 1)",
                    found: "\(other)"),
                at: "against")
        }
        let needsText = if case .text = group.prompts[own] { true } else { false }
        let tokenizer = needsText ? try invocation.tokenizer(of: model) : model.tokenizer
        guard
            let scores = try Scorer().score(
                [group], model: model.model, tokenizer: tokenizer, perToken: true,
                cancel: invocation.cancel
            ).first,
            let shifts = scores.shifts(response: rollout.index, from: other, to: own)
        else {
            text = rollout.rendered(invocation.appearance)
            text.line("the two prompts split this response differently, so no strip exists", .faint)
            return text
        }
        let tokens = scores.tokens[own * scores.scores.responses + rollout.index]
        let strip = TokenStrip(
            tokens: zip(tokens, shifts).map { token, shift in
                TokenStrip.Token(
                    text: tokenizer?.text(of: token) ?? "\(token) ", shift: Double(shift))
            })
        text.append(
            ", constitution \(own) against \(other): "
                + "\(NumberText.fixed(strip.total, decimals: 2)) nats in all", .faint)
        if group.constitutions.indices.contains(own) {
            for line in TextWidth.wrapped(
                group.constitutions[own].text, to: invocation.appearance.columns - 2)
            {
                text.line("  " + line, .faint)
            }
        }
        text.line(strip.rendered(invocation.appearance))
        return text
    }

    // MARK: plot

    private static func plot(_ invocation: Invocation) throws -> CommandResult {
        guard let argument = invocation.argument("value") else { return CommandResult() }
        let value = try invocation.value(argument)
        let picture = try Picture(
            value, column: try invocation.text("y"), title: try invocation.text("title"),
            invocation)
        guard let shown = try invocation.text("path"),
            let path = try invocation.writablePath("path")
        else { return CommandResult(text: picture.rendered(invocation.appearance)) }
        try invocation.write(picture, to: path, shown: shown)
        return CommandResult(text: StyledText("wrote \(shown)"))
    }

    // MARK: compare

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

    // MARK: describe

    private static func describe(_ invocation: Invocation) throws -> CommandResult {
        guard let argument = invocation.argument("value") else { return CommandResult() }
        let value = try invocation.value(argument)
        if let count = try invocation.integer("gates", atLeast: 1, atMost: 100_000) {
            guard let model = value.object(ModelObject.self) else {
                throw invocation.located(
                    EvaluationError.wrongKind(
                        role: "what `gates` measures", expected: "a model", found: value.aKind),
                    at: "value")
            }
            return try evaluation(of: model, count, invocation)
        }
        var text = StyledText(value.kind, .heading)
        text.append("  \(value.summary)")
        let fields = value.fieldNames
        if !fields.isEmpty {
            var table = Table([.init("field"), .init("meaning")])
            table.styles = [0: .name]
            for field in fields.prefix(40) { table.append([field.name, field.summary]) }
            text.line(table.rendered(invocation.appearance, showsTitles: false))
        }
        if let model = value.object(ModelObject.self) {
            text.line(try ModelMemory.rendered(model.model, invocation.appearance))
        }
        if case .expression(let node) = argument.value, case .name(let name) = node.expression,
            invocation.session.isBound(name)
        {
            let provenance = try invocation.session.workspace.provenance(of: name)
            text.line("made by", .faint)
            describe(provenance, into: &text, invocation.appearance)
        }
        return CommandResult(text: text)
    }

    /// The statements behind a value, each below the one that used what it made.
    private static func describe(
        _ provenance: Provenance, into text: inout StyledText, _ appearance: Appearance
    ) {
        var shown = 0
        func line(_ place: Int, _ depth: Int) {
            guard provenance.steps.indices.contains(place), depth < 8, shown < 40 else { return }
            shown += 1
            let step = provenance.steps[place]
            var words = String(repeating: "  ", count: depth) + step.binding.name
            if let statement = step.statement {
                words += "  #\(statement.sequence)  \(TextWidth.oneLine(statement.source))"
                for file in statement.files.prefix(3) { words += "  [\(file.path)]" }
            }
            text.line(TextWidth.cut(words, to: appearance.columns))
            for input in step.inputs where input > place { line(input, depth + 1) }
        }
        line(0, 1)
    }
}
