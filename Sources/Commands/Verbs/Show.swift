import Alignment
import CommandLanguage
import Rendering
import Values

extension CommandTable {
    static let showCommand = Command(
        "show", .looking, "shows a value in detail",
        about: """
            S is drawn as a heat map; a rollout as a token strip, each token colored by \
            log p(token | its constitution) - log p(token | another one); text is shown whole.
            """,
        effect: .looks,
        operands: [.optional("value", .expression, "the value; the last result")],
        options: [
            OptionSpecification(
                "against", .number, "the other constitution, for a token strip"),
            OptionSpecification("count", .number, "how many items; 8"),
            MethodKey.model,
        ],
        example: "show logprobs", run: show)

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
        let appearance = invocation.appearance
        switch value {
        case .object(let rollout as RolloutObject):
            return CommandResult(try strip(rollout, invocation), appearance)
        case .object(let rollouts as RolloutsObject):
            // One display for each strip: a notebook shows and folds them one by one.
            var result = CommandResult(
                text: StyledText("rollouts: \(rollouts.summary)", .heading))
            for index in 0..<min(count, rollouts.count ?? 0) {
                guard case .object(let one as RolloutObject) = rollouts.item(index) else {
                    continue
                }
                let strip = try strip(one, invocation)
                // A terminal has an empty line between the strips.
                var display = Display(strip, appearance)
                display.text = {
                    var text = StyledText("\n")
                    text.append(strip.rendered(appearance))
                    return text
                }
                result.displays.append(display)
            }
            return result
        case .object(let logprobs as LogprobsObject):
            var document = logprobs.document(count: count)
            if logprobs.scores.count > count {
                document.line(
                    "… and \(logprobs.scores.count - count) more; count= shows them", .faint)
            }
            return CommandResult(document, appearance)
        case .tensor(let tensor) where tensor.shape.count == 2:
            var document = Document(TensorText.summary(tensor), .faint)
            document.line(HeatMap(tensor))
            return CommandResult(document, appearance)
        case .object(let queries as QueriesObject):
            return CommandResult(
                queries.document(
                    appearance, count: invocation.has("count") ? count : QueriesObject.shownCount),
                appearance)
        case .object(let principles as PrinciplesObject):
            let shown = PrinciplesObject(
                pairs: Array(
                    principles.pairs.prefix(
                        invocation.has("count") ? count : principles.pairs.count)))
            var document = shown.document(appearance)
            let rest = principles.pairs.count - shown.pairs.count
            if rest > 0 { document.line("… and \(rest) more; count= shows them", .faint) }
            return CommandResult(document, appearance)
        case .object(let constitutions as ConstitutionsObject):
            return CommandResult(
                constitutions.document(
                    appearance, count: invocation.has("count") ? count : 1),
                appearance)
        case .list(let items):
            if let table = Value.table(of: items, count: count, invocation.appearance) {
                return CommandResult(table, invocation.appearance)
            }
            var text = StyledText("list of \(NumberText.grouped(items.count))", .faint)
            for (index, item) in items.prefix(count).enumerated() {
                text.line("[\(index)] ", .faint)
                text.append(item.rendered(appearance))
            }
            if items.count > count { text.line("… and \(items.count - count) more", .faint) }
            return CommandResult(text: text)
        case .record(let record):
            var text = StyledText()
            for (key, value) in record {
                text.line("\(key): ", .name)
                text.append(value.rendered(appearance))
            }
            return CommandResult(text: text)
        default: return CommandResult(value.display(appearance).withoutJSON)
        }
    }

    /// The response as a token strip, or as plain text if it cannot be scored.
    private static func strip(
        _ rollout: RolloutObject, _ invocation: Invocation
    ) throws -> Document {
        let group = rollout.group
        var document = Document("rollout of \(group.id)", .heading)
        let own = rollout.response.constitution
        guard let model = try invocation.objectIfBound(ModelObject.self, "model") else {
            document = rollout.document(invocation.appearance)
            document.line("a token strip needs `model`", .faint)
            return document
        }
        guard group.prompts.count > 1 else { return rollout.document(invocation.appearance) }
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
            document = rollout.document(invocation.appearance)
            document.line(
                "the two prompts split this response differently, so there is no strip", .faint)
            return document
        }
        let tokens = scores.tokens[own * scores.scores.responses + rollout.index]
        let strip = TokenStrip(
            tokens: zip(tokens, shifts).map { token, shift in
                TokenStrip.Token(
                    text: tokenizer?.text(of: token) ?? "\(token) ", shift: Double(shift))
            })
        document.append(
            ", constitution \(own) against \(other): "
                + "\(NumberText.fixed(strip.total, decimals: 2)) nats in all", .faint)
        if group.constitutions.indices.contains(own) {
            for line in TextWidth.wrapped(
                group.constitutions[own].text, to: invocation.appearance.columns - 2)
            {
                document.line("  " + line, .faint)
            }
        }
        document.line(strip)
        return document
    }
}
