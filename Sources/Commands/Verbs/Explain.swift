import Alignment
import CommandLanguage
import Rendering
import Tensors
import Tokenizers
import Values

extension CommandTable {
    static let explainCommand = Command(
        "explain", .looking, "walks from a query's loss to its S, rows, columns and tokens",
        about: """
            Shows S of the query, the softmax of each row and column with the loss that it gives, \
            how they make the loss, the response that its own constitution explains worst, and \
            the tokens that decide that. Tokens need `score per_token=true`, or `model` and \
            `rollouts`.
            """,
        makes: ["_"], effect: .looks,
        operands: [
            .optional(
                "query", .expression,
                "loss[3], loss[\"ID\"], one of `rollouts`, or an id; the largest loss")
        ],
        options: [
            OptionSpecification("count", .number, "how many tokens; default: 8"), MethodKey.model,
        ],
        example: "explain loss[0]", run: explain)

    private static func explain(_ invocation: Invocation) throws -> CommandResult {
        let logprobs = try invocation.object(LogprobsObject.self, "logprobs")
        let asked = try query(invocation)
        guard let scores = logprobs.scores.first(where: { $0.id.text == asked.id }) else {
            throw invocation.located(
                EvaluationError.unknownItem(
                    asked.id, owner: "logprobs",
                    nearest: nearest(asked.id, in: logprobs.scores.map(\.id.text)),
                    example: logprobs.scores.first?.id.text),
                at: "query")
        }
        let parts = try ContrastParts(scores.scores, query: asked.id)
        let explanation = Explanation(
            scores: scores, parts: parts, isMean: logprobs.settings.normalize == .mean,
            rollouts: try invocation.objectIfBound(RolloutsObject.self, "rollouts")?.rollouts
                .groups.first { $0.id == scores.id })
        let tokens = try contributions(explanation, logprobs, invocation)
        let count = try invocation.integer("count", atLeast: 1, atMost: 10_000) ?? 8
        var document = explanation.document(invocation.appearance)
        explanation.line(
            tokens, count: count, model: invocation.written("model") ?? "model", in: &document,
            invocation.appearance)
        var result = CommandResult(
            value: .record(explanation.record(tokens)),
            Display(
                document, invocation.appearance, data: .record(explanation.record(tokens))))
        if explanation.differs(tokens) {
            result.notes.append(
                "the tokens are of today's `model`, and S is of another one: `score` makes it again"
            )
        }
        if let loss = asked.loss, (loss - parts.contrast.loss).magnitude > 1e-6 {
            result.notes.append(
                "this loss is \(NumberText.fixed(loss, decimals: 4)), from other scores than "
                    + "`logprobs` has now: `contrast` makes it again")
        }
        return result
    }

    /// The id of the query that the operand names, and its loss if that was given.
    private static func query(_ invocation: Invocation) throws -> (id: String, loss: Double?) {
        func worst(_ loss: LossObject) -> (String, Double?)? {
            zip(loss.ids, loss.contrasts).max { $0.1.loss < $1.1.loss }.map {
                ($0.0.text, $0.1.loss)
            }
        }
        guard let value = try invocation.value("query") else {
            guard let found = worst(try invocation.object(LossObject.self, "loss")) else {
                throw invocation.error("`loss` has no queries")
            }
            return found
        }
        if case .text(let id) = value { return (id, nil) }
        if case .record(let record) = value, let id = record["query"]?.asText {
            return (id, record["value"]?.asNumber)
        }
        if let loss = value.object(LossObject.self), let found = worst(loss) { return found }
        if let (group, _) = QueryRolloutsObject.origin(of: value) { return (group.id.text, nil) }
        throw invocation.located(
            EvaluationError.wrongKind(
                role: "`query`", expected: "an item of `loss`, one of `rollouts` or an id",
                found: value.aKind),
            at: "query")
    }

    /// The tokens of the worst response, each with its part of the difference of two scores.
    private static func contributions(
        _ explanation: Explanation, _ logprobs: LogprobsObject, _ invocation: Invocation
    ) throws -> [Explanation.Token] {
        if !explanation.scores.tokenLogProbs.isEmpty {
            return explanation.tokens(explanation.scores) { logprobs.text(of: $0) }
        }
        guard let group = explanation.rollouts,
            let model = try invocation.objectIfBound(ModelObject.self, "model"),
            group.responses.count == explanation.scores.scores.responses
        else { return [] }
        let rollout = RolloutObject(group: group, query: nil, index: explanation.parts.worst.index)
        let batch = try invocation.contrastBatch(rollout, model)
        let follower = invocation.follower("explain")
        defer { follower.finish() }
        let scores = try Scorer(logprobs.settings).score(
            [batch], model: model.model, perToken: true, progress: follower.follow)
        let tokenizer = model.tokenizer ?? (try? invocation.tokenizer(of: model))
        return scores.first.map { scores in
            explanation.tokens(scores) { TokenName.text($0, tokenizer) }
        } ?? []
    }
}

/// The loss of one query in words and numbers.
private struct Explanation {
    let scores: QueryScores
    let parts: ContrastParts
    /// Whether a score is a mean over tokens.
    let isMean: Bool
    /// The responses, if they are still there.
    let rollouts: RolloutGroup?

    struct Token {
        var place: Int
        var text: String
        /// Log-probs in nats under the own constitution and under its rival.
        var own, rival: Double
        /// Its part of S[own] − S[rival].
        var share: Double
    }

    private var count: Int { scores.scores.constitutions }
    private var worst: ContrastParts.Part { parts.worst }
    /// The constitution that explains the worst response best, its own left out.
    private var rival: Int {
        (0..<count).filter { $0 != worst.label }.max {
            scores.scores[$0, worst.index] < scores.scores[$1, worst.index]
        } ?? 0
    }

    /// Whether the tokens do not add up to the difference of the two scores, since another model
    /// gave them.
    func differs(_ tokens: [Token]) -> Bool {
        let difference = scores.scores[worst.label, worst.index] - scores.scores[rival, worst.index]
        let sum = tokens.reduce(0) { $0 + $1.share }
        return !tokens.isEmpty && (sum - difference).magnitude > 2e-4 + 1e-3 * difference.magnitude
    }

    func tokens(_ scores: QueryScores, text: (Int32) -> String) -> [Token] {
        let responses = scores.scores.responses
        let (own, other) = (
            worst.label * responses + worst.index, rival * responses + worst.index
        )
        guard scores.tokens.indices.contains(own), scores.tokens[own] == scores.tokens[other]
        else { return [] }
        let length = Double(max(1, scores.tokens[own].count))
        return scores.tokens[own].indices.map { place in
            let (a, b) = (
                Double(scores.tokenLogProbs[own][place]), Double(scores.tokenLogProbs[other][place])
            )
            return Token(
                place: place, text: text(scores.tokens[own][place]), own: a, rival: b,
                share: isMean ? (a - b) / length : a - b)
        }
    }

    // MARK: Words

    private func digits(_ value: Double) -> String { NumberText.fixed(value, decimals: 4) }

    func document(_ appearance: Appearance) -> Document {
        let contrast = parts.contrast
        let unit = isMean ? "the mean log-prob, in nats a token," : "the log-prob, in nats,"
        var document = Document("loss of \(scores.id): \(digits(contrast.loss)) nats", .heading)
        func say(_ words: String, _ style: TextStyle = .plain) {
            for line in TextWidth.wrapped(words, to: appearance.columns) {
                document.line(line, style)
            }
        }
        for (index, constitution) in (rollouts?.constitutions ?? []).enumerated() {
            say("c\(index): " + constitution.text.replacing("\n", with: " "), .faint)
        }
        document.line(
            HeatMap(
                rows: count, columns: scores.scores.responses, values: scores.scores.values))
        say(
            "S[i, j] is \(unit) of response y_j under constitution c_i. In brackets is the "
                + "diagonal: each response under the constitution that it was sampled with.")
        document.line(
            "Rows: which response was sampled under this constitution?", .heading)
        document.line(table(parts.rows, "c", of: "y"))
        document.line(
            "Columns: which constitution was this response sampled under?", .heading)
        document.line(table(parts.columns, "y", of: "c"))
        say(
            "Each loss is -log of the share in brackets, a softmax of S; log C = "
                + "\(digits(contrast.ceiling)) is a guess among \(count).")
        say(
            "loss = ½ (mean of rows \(digits(contrast.row)) + mean of columns "
                + "\(digits(contrast.column))) = \(digits(contrast.loss)) nats")
        let (own, other) = (
            scores.scores[worst.label, worst.index], scores.scores[rival, worst.index]
        )
        say(
            "Explained worst is y\(worst.index)\(quoted(worst.index)): its own c\(worst.label) "
                + "gives it \(digits(own)), c\(rival) gives it \(digits(other)), a difference of "
                + "\(signed(own - other)).")
        return document
    }

    private func signed(_ value: Double) -> String { NumberText.signed(value, decimals: 4) }

    private func quoted(_ response: Int) -> String {
        guard let rollouts, rollouts.responses.indices.contains(response),
            let text = rollouts.responses[response].text
        else { return "" }
        return " (" + Value.text(text).summary + ")"
    }

    /// One line a row or a column: the shares of the answers, the right one in brackets.
    private func table(_ parts: [ContrastParts.Part], _ name: String, of answer: String) -> Table {
        let isOneGrid = self.parts.contrast.grids == 1
        var columns: [Table.Column] = [.init("")]
        for index in 0..<count {
            // In later blocks answer i is the response of constitution i.
            columns.append(
                .init(
                    isOneGrid || answer == "c" ? "\(answer)\(index)" : "of c\(index)",
                    isNumeric: true))
        }
        columns += [.init("loss", isNumeric: true), .init("")]
        var table = Table(columns)
        table.styles = [0: .faint]
        for part in parts {
            let sample = isOneGrid || name == "y" ? "" : ", sample \(part.grid)"
            let shares = part.shares.enumerated().map { index, share in
                let text = NumberText.percent(share, decimals: 2)
                return index == part.label ? "[\(text)]" : text + " "
            }
            table.append(
                ["\(name)\(part.index)\(sample)"] + shares
                    + [digits(part.loss), part.isRight ? "right" : "wrong"])
        }
        return table
    }

    func line(
        _ tokens: [Token], count: Int, model: String, in document: inout Document,
        _ appearance: Appearance
    ) {
        guard !tokens.isEmpty else {
            document.line(
                "score per_token=true keeps the tokens that this difference comes from.", .faint)
            return
        }
        let total = tokens.reduce(0) { $0 + $1.share }
        let words =
            "Its \(NumberText.count(tokens.count, "token")) add up to \(signed(total)); those that "
            + "count most:"
        for line in TextWidth.wrapped(words, to: appearance.columns) { document.line(line) }
        var table = Table([
            .init("at", isNumeric: true), .init("token"),
            .init("under c\(worst.label)", isNumeric: true),
            .init("under c\(rival)", isNumeric: true), .init("adds", isNumeric: true),
        ])
        table.styles = [0: .faint]
        for token in tokens.sorted(by: { $0.share.magnitude > $1.share.magnitude }).prefix(count) {
            table.append([
                "\(token.place)", TokenName.quoted(token.text),
                NumberText.fixed(token.own, decimals: 3),
                NumberText.fixed(token.rival, decimals: 3),
                signed(token.share),
            ])
        }
        document.line(table)
        if tokens.count > count {
            document.line("… and \(tokens.count - count) more; count= shows them", .faint)
        }
    }

    // MARK: Data

    func record(_ tokens: [Token]) -> Record {
        func shares(_ parts: [ContrastParts.Part]) -> Value {
            .tensor(
                Tensor(
                    parts.flatMap { $0.shares.map { Float($0) } }, shape: [parts.count, count]))
        }
        return [
            "query": .text(scores.id.text), "loss": .number(parts.contrast.loss),
            "row": .number(parts.contrast.row), "column": .number(parts.contrast.column),
            "S": .tensor(LogprobsObject.matrix(scores.scores)),
            "row_shares": shares(parts.rows), "column_shares": shares(parts.columns),
            "row_losses": .list(parts.rows.map { .number($0.loss) }),
            "column_losses": .list(parts.columns.map { .number($0.loss) }),
            "worst": Value(worst.index), "own": Value(worst.label), "rival": Value(rival),
            "tokens": .list(
                tokens.map { token in
                    .record([
                        "at": Value(token.place), "token": .text(token.text),
                        "own": .number(token.own), "rival": .number(token.rival),
                        "adds": .number(token.share),
                    ])
                }),
        ]
    }
}
