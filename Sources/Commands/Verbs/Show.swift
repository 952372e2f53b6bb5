import Alignment
import CommandLanguage
import Rendering
import Values

extension CommandTable {
    static let showCommand = Command(
        "show", .looking, "shows a value in detail",
        about: """
            S is drawn as a heat map; a rollout as a token strip, each token colored by \
            log p(token | its constitution) - log p(token | another one); text is shown whole. \
            rollouts[i] is a query, rollouts[i][j] its response j.
            """,
        forms: [
            Command.Form(
                nil, "shows a value in detail", effect: .looks,
                operands: [.optional("value", .expression, "the value; the last result")],
                options: [
                    OptionSpecification(
                        "against", .number, "the other constitution, for a token strip"),
                    OptionSpecification("count", .number, "how many items; default: 8"),
                    OptionSpecification(
                        "figures", .flag,
                        "write the nats of a token strip into a colored one; default: false"),
                    OptionSpecification(
                        "alternatives", .number,
                        "of a rollout: other tokens shown where the constitution acts most; "
                            + "default: 0"),
                    MethodKey.model,
                ],
                example: "show logprobs", run: show),
            showPromptForm, showPromptsForm,
        ])

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
        if let strips = try strips(of: value, count: count, invocation) { return strips }
        switch value {
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
}
