import Alignment
import CommandLanguage
import Rendering
import Tensors
import Tokenizers
import Transformers
import Values

extension CommandTable {
    static let nextCommand = Command(
        "next", .looking, "the likeliest next tokens, with their probabilities",
        about: """
            Of a text: the tokens that could continue it. Of a rollout: the tokens that could \
            stand at token `at` of its response, under its own constitution and under another \
            one; > marks the token that does. Entropy says how open the choice is: 0 nats is \
            certain, log V is anything. The prompt of a rollout is the one that it is scored with.
            """,
        makes: ["_"], effect: .looks,
        operands: [
            .required("prompt", .expression, "text in quotes, token ids, or one of `rollouts`")
        ],
        options: [
            OptionSpecification("count", .number, "how many tokens; default: 10"),
            OptionSpecification(
                "at", .number, "of a rollout: the token of the response, -1 the last; default: 0"),
            OptionSpecification(
                "against", .number, "of a rollout: the other constitution; 0, or 1 for those of 0"),
            MethodKey.model,
        ],
        example: "next \"Principles for\" count=5", run: next)

    private static func next(_ invocation: Invocation) throws -> CommandResult {
        let model = try invocation.model()
        guard let value = try invocation.value("prompt") else { return CommandResult() }
        let count = try invocation.integer("count", atLeast: 1, atMost: 10_000) ?? 10
        if let rollout = RolloutObject(onlyOf: value) {
            return try next(of: rollout, count, model, invocation)
        }
        for key in ["at", "against"] where invocation.has(key) {
            throw invocation.error(
                "`\(key)` is for one of the rollouts, and this is \(value.aKind)",
                suggestion: "next rollouts[0][0] \(key)=1", at: key)
        }
        let sequence = try invocation.plainSequence(value, "prompt", model)
        let logits = try invocation.looking(into: model.model) { watch in
            try model.model.logits(
                sequence.tokens, rows: [max(0, sequence.tokens.count - 1)], watch: watch)
        }.values
        let ids = NextTokensObject.likeliest(count, of: logits)
        return result(
            NextTokensObject.Content(
                place: "after " + ending(sequence), tokens: texts(ids, sequence.tokenizer),
                ids: ids, own: NextTokensObject.Distribution(logits, at: ids)))
    }

    private static func next(
        of rollout: RolloutObject, _ count: Int, _ model: ModelObject, _ invocation: Invocation
    ) throws -> CommandResult {
        let batch = try invocation.contrastBatch(rollout, model)
        let own = rollout.response.constitution
        let sequence = batch[own, rollout.index]
        let length = sequence.scored.count
        let at = try invocation.integer("at", atLeast: -(1 << 31)) ?? 0
        // The place after the last token is where a response ends.
        let place = at < 0 ? at + length : at
        guard (0...length).contains(place) else {
            throw invocation.located(
                EvaluationError.indexOutOfRange(
                    index: at, count: length + 1, what: "the response with its end"), at: "at")
        }
        func logits(_ sequence: ContrastBatch.Sequence) throws -> [Float] {
            let end = sequence.scored.lowerBound + place
            return try invocation.looking(into: model.model) { watch in
                try model.model.logits(
                    Array(sequence.tokens[..<end]), rows: [end - 1], watch: watch)
            }.values
        }
        let ownLogits = try logits(sequence)
        var ids = NextTokensObject.likeliest(count, of: ownLogits)
        var chosen: Int?
        if place < length {
            let token = sequence.tokens[sequence.scored.lowerBound + place]
            if !ids.contains(token) { ids.append(token) }
            chosen = ids.firstIndex(of: token)
        }
        var notes: [String] = []
        var otherOne: NextTokensObject.Distribution?
        if let other = try invocation.otherConstitution(of: rollout) {
            let second = batch[other, rollout.index]
            if second.tokens[second.scored] == sequence.tokens[sequence.scored] {
                otherOne = NextTokensObject.Distribution(
                    try logits(second), at: ids, constitution: other)
            } else {
                notes.append(
                    "the two prompts split this response differently, so only its own is shown")
            }
        }
        let tokenizer = model.tokenizer ?? (try? invocation.tokenizer(of: model))
        let before = Array(sequence.tokens[..<(sequence.scored.lowerBound + place)])
        var words = place < length ? "at token \(place) of \(length)" : "at the end"
        words += " of the response to \(rollout.group.id) under constitution \(own), after "
        words += ending(ObservedSequence(tokens: before, tokenizer: tokenizer))
        var answer = result(
            NextTokensObject.Content(
                place: words, tokens: texts(ids, tokenizer), ids: ids,
                own: NextTokensObject.Distribution(
                    ownLogits, at: ids, constitution: otherOne == nil ? nil : own),
                other: otherOne, chosen: chosen))
        answer.notes = notes
        return answer
    }

    private static func result(_ content: NextTokensObject.Content) -> CommandResult {
        CommandResult(value: .object(NextTokensObject(content: content)))
    }

    private static func texts(_ ids: [Int32], _ tokenizer: Tokenizer?) -> [String] {
        ids.map { TokenName.text($0, tokenizer) }
    }

    /// The end of a sequence in quotes.
    private static func ending(_ sequence: ObservedSequence) -> String {
        guard let tokenizer = sequence.tokenizer else {
            return "token \(sequence.tokens.last.map { "\($0)" } ?? "")"
        }
        let text = tokenizer.decode(sequence.tokens.suffix(12))
        var end = text.suffix(32)
        let isCut = end.count < text.count || sequence.tokens.count > 12
        // From the start of a word on, if there is one.
        if isCut, let blank = end.firstIndex(of: " ") { end = end[end.index(after: blank)...] }
        return TokenName.quoted((isCut ? "…" : "") + end)
    }
}

extension Invocation {
    /// The constitution that a rollout is compared with; nil if there is only one.
    func otherConstitution(of rollout: RolloutObject) throws -> Int? {
        let (own, count) = (rollout.response.constitution, rollout.group.prompts.count)
        let named = try integer("against", atLeast: 0)
        guard count > 1 || named != nil else { return nil }
        let other = named ?? (own == 0 ? 1 : 0)
        guard other != own, rollout.group.prompts.indices.contains(other) else {
            throw located(
                EvaluationError.outOfRange(
                    role: "`against`", rule: "another constitution, 0 to \(count - 1)",
                    found: "\(other)"),
                at: "against")
        }
        return other
    }
}
