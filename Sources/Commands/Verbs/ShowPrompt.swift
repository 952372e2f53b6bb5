import Alignment
import CommandLanguage
import Rendering
import TextModels
import Values

/// Prompts before anything runs: a query's own, and the templates of a model.
extension CommandTable {
    static let showPromptForm = Command.Form(
        "prompt", "shows the whole prompt of a query, with its number of tokens",
        effect: .looks,
        operands: [.required("queries", .object("queries"), "a query, such as queries[0]")],
        options: [
            OptionSpecification(
                "constitution", .value,
                "a text, or its number among the query's in `constitutions`; default: 0"),
            MethodKey.model,
        ],
        example: "show prompt queries[0] constitution=\"Be brief.\"", run: showPrompt)

    static let showPromptsForm = Command.Form(
        "prompts", "shows the prompt templates of a model",
        effect: .looks, options: [MethodKey.model], example: "show prompts", run: showPrompts)

    private static func showPrompt(_ invocation: Invocation) throws -> CommandResult {
        let model = try invocation.textModel(try invocation.model())
        let queries = try invocation.object(QueriesObject.self, "queries").queries
        guard let query = queries.first, queries.count == 1 else {
            throw invocation.error(
                "one query is needed, not \(queries.count)", suggestion: "show prompt queries[0]",
                at: "queries")
        }
        let (own, training) = try constitution(of: query, invocation)
        let (asked, opening) = try model.prompts.rolloutPrompt(
            query.form, query.text, constitution: own, chat: model.chat)
        let sampled = model.prompt(asked, beginning: opening).prompt
        let scored = try model.prompts.trainingPrompt(
            query.form, query.text, constitution: training, chat: model.chat)
        let scoredTokens = model.prompt(scored).tokens.count

        var document = Document()
        func section(_ name: String, _ text: String, _ tokens: Int) {
            document.line("\(name): \(NumberText.count(tokens, "token"))", .heading)
            for line in TextWidth.printable(text).split(
                omittingEmptySubsequences: false, whereSeparator: \.isNewline)
            {
                for part in TextWidth.wrapped(String(line), to: invocation.appearance.columns) {
                    document.line(part)
                }
            }
        }
        section("rollout", sampled.text, sampled.tokens.count)
        if scored.text == sampled.text {
            document.line("training: the same", .heading)
        } else {
            section("training", scored.text, scoredTokens)
        }
        document.line(joint(scored, opening), .faint)
        return CommandResult(
            document, invocation.appearance,
            data: .record([
                "rollout": .text(sampled.text), "rollout_tokens": Value(sampled.tokens.count),
                "training": .text(scored.text), "training_tokens": Value(scoredTokens),
                "separator": .text(scored.separator),
            ]))
    }

    /// A sentence about the text after the prompt.
    private static func joint(_ prompt: RenderedPrompt, _ opening: String) -> String {
        "The response follows "
            + (prompt.separator.isEmpty
                ? "directly" : "after " + Value.text(prompt.separator).summary)
            + (opening.isEmpty ? "" : ", begins with " + Value.text(opening).summary)
            + (prompt.chat?.endOfTurn.map { ", and ends with \($0)" } ?? "") + "."
    }

    /// The texts of the constitution for sampling and of the one for scoring.
    private static func constitution(
        of query: Alignment.Query, _ invocation: Invocation
    ) throws -> (rollout: String, training: String) {
        let given = try invocation.value("constitution")
        if case .text(let text)? = given {
            let sentences = try? Constitution.sentences(of: text)
            let whole = sentences == nil ? "1. \(text.trimmed)" : text.trimmed
            return (whole, whole)
        }
        let place = try invocation.integer("constitution", atLeast: 0) ?? 0
        let object = try invocation.objectIfBound(ConstitutionsObject.self, "constitutions")
        if let groups = object?.groups, let group = groups.first(where: { $0.query == query.id }) {
            guard group.constitutions.indices.contains(place) else {
                throw invocation.located(
                    EvaluationError.indexOutOfRange(
                        index: place, count: group.constitutions.count,
                        what: "the query's constitutions"), at: "constitution")
            }
            return (group.constitutions[place].text, group.training[place].text)
        }
        guard let pairs = try invocation.objectIfBound(PrinciplesObject.self, "principles")?.pairs,
            !pairs.isEmpty
        else {
            throw invocation.error(
                "no constitution is composed for this query",
                suggestion: "constitution=\"Be brief.\", or `compose` first")
        }
        let whole = Constitution(
            slots: pairs.filter { $0.fits(query.form) }.map {
                Slot(text: $0.principle, polarity: .principle)
            }
        ).text
        return (whole, whole)
    }

    private static func showPrompts(_ invocation: Invocation) throws -> CommandResult {
        let model = try invocation.model()
        let prompts = model.prompts
        var document = Document("prompts: \(prompts.name)", .heading)
        func section(_ name: String, _ template: PromptTemplate) {
            document.line(name, .heading)
            switch template.form {
            case .text(let text): document.line(TextWidth.printable(text.source))
            case .messages(let messages):
                for message in messages {
                    document.line("\(message.role.rawValue): ", .name)
                    document.append(TextWidth.printable(message.content.source))
                }
            }
        }
        section("rollout", prompts.rollout)
        if prompts.training == prompts.rollout {
            document.line("training: the same", .heading)
        } else {
            section("training", prompts.training)
        }
        section("writer", prompts.writer)
        var table = Table([
            .init("query"), .init("label"), .init("task"), .init("cue"), .init("opening"),
        ])
        table.wraps = true
        for form in QueryForm.allCases {
            let words = prompts.words(form)
            table.append([form.rawValue, words.label, words.task, words.cue, words.responsePrefix])
        }
        document.line(table)
        document.line("separator: \(Value.text(prompts.separator).summary)", .faint)
        document.line(
            "stops: "
                + (prompts.stops.isEmpty
                    ? "none"
                    : prompts.stops.map { Value.text($0).summary }.joined(separator: ", ")),
            .faint)
        return CommandResult(document, invocation.appearance)
    }
}
