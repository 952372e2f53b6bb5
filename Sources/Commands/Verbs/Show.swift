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
        case .object(let queries as QueriesObject):
            return CommandResult(
                text: queries.rendered(
                    invocation.appearance,
                    count: invocation.has("count") ? count : QueriesObject.shownCount))
        case .object(let principles as PrinciplesObject):
            let shown = PrinciplesObject(
                pairs: Array(
                    principles.pairs.prefix(
                        invocation.has("count") ? count : principles.pairs.count)))
            var text = shown.rendered(invocation.appearance)
            let rest = principles.pairs.count - shown.pairs.count
            if rest > 0 { text.line("… and \(rest) more; count= shows them", .faint) }
            return CommandResult(text: text)
        case .object(let constitutions as ConstitutionsObject):
            return CommandResult(
                text: constitutions.rendered(
                    invocation.appearance, count: invocation.has("count") ? count : 1))
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

    /// The response as a token strip, or as plain text if it cannot be scored.
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
            text.line(
                "the two prompts split this response differently, so there is no strip", .faint)
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
}
