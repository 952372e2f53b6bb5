import Alignment
import CommandLanguage
import Rendering
import Tokenizers
import Values

extension CommandTable {
    static let scoreCommand = Command(
        "score", .method, "S: the log-prob of every response under every constitution",
        about: """
            S[i, j] is the mean log-prob, in nats a token, of response j under constitution i. \
            The end-of-sequence token is not scored unless score_end=true.
            """,
        makes: ["logprobs"],
        operands: [.optional("rollouts", .object("rollouts"), "in place of `rollouts`")],
        options: MethodKey.score + [
            OptionSpecification(
                "per_token", .flag, "keep the log-prob, id and text of every token; default: false"),
            MethodKey.overflow, MethodKey.model,
        ],
        example: "score", run: score)

    private static func score(_ invocation: Invocation) throws -> CommandResult {
        let model = try invocation.model()
        let rollouts = try invocation.object(RolloutsObject.self, "rollouts").rollouts
        var settings = ScoreSettings()
        try invocation.apply(to: &settings)
        let (batches, note) = try batches(rollouts, model, settings, invocation)
        let follower = invocation.follower()
        defer { follower.finish() }
        let scores = try Scorer(settings).score(
            batches, model: model.model, perToken: try invocation.flag("per_token") ?? false,
            progress: follower.follow)
        let tokenizer = model.tokenizer ?? (try? invocation.tokenizer(of: model))
        let kept = Set(scores.flatMap { $0.tokens.joined() })
        let texts = tokenizer.map { tokenizer in
            Dictionary(uniqueKeysWithValues: kept.map { ($0, TokenName.text($0, tokenizer)) })
        }
        return CommandResult(
            "logprobs", LogprobsObject(scores: scores, settings: settings, texts: texts ?? [:]),
            notes: [note].compactMap(\.self))
    }

    /// A sentence about prompts that spell the token which begins a text.
    private static func doubledBeginning(
        _ groups: [RolloutGroup], _ tokenizer: Tokenizer?
    ) -> String? {
        guard let tokenizer, let mark = tokenizer.bos.flatMap({ tokenizer.token($0) }) else {
            return nil
        }
        let spelled = groups.filter { group in
            group.chat == nil
                && group.prompts.contains {
                    if case .text(let text) = $0 { tokenizer.spellsBeginning(text) } else { false }
                }
        }
        guard let first = spelled.first else { return nil }
        return "the prompts of \(NumberText.count(spelled.count, "query", "queries")) begin with "
            + "\(mark) already, so none is added: \(first.id)"
    }

    /// The rollouts as token ids, with each query encoded once, and a sentence about those that do
    /// not fit the context.
    static func batches(
        _ rollouts: Rollouts, _ model: ModelObject, _ settings: ScoreSettings,
        _ invocation: Invocation
    ) throws -> (batches: [ContrastBatch], note: String?) {
        guard !rollouts.groups.isEmpty else { throw AlignmentError.noRollouts }
        let needsText = rollouts.groups.contains { group in
            group.prompts.contains { if case .text = $0 { true } else { false } }
        }
        let tokenizer = needsText ? try invocation.tokenizer(of: model) : model.tokenizer
        let skips = try invocation.word("overflow", RolloutSettings.OverflowRule.self) != .error
        var batches: [ContrastBatch] = []
        var tooLong: [String] = []
        for group in rollouts.groups {
            do {
                batches.append(
                    try ContrastBatch(
                        group, tokenizer: tokenizer, configuration: model.model.configuration,
                        scoresEnd: settings.scoresEnd))
            } catch AlignmentError.tooLong where skips && rollouts.groups.count > 1 {
                tooLong.append(group.id.text)
            }
        }
        let crossings = batches.compactMap { batch in batch.boundaryToken.map { (batch.id, $0) } }
        let crossing = crossings.first.map { id, token in
            "in \(NumberText.count(crossings.count, "query", "queries")) a token crosses the boundary between "
                + "prompt and response and is "
                + (token.isSplit
                    ? "split there, as sampling splits it" : "scored with the response")
                + ": in \(id), between "
                + Value.text(token.prompt).summary + " and " + Value.text(token.response).summary
        }
        let remarks = [crossing, doubledBeginning(rollouts.groups, tokenizer)].compactMap(\.self)
        let remark = remarks.isEmpty ? nil : remarks.joined(separator: "; ")
        guard !tooLong.isEmpty else { return (batches, remark) }
        let ids = tooLong.prefix(5).joined(separator: ", ") + (tooLong.count > 5 ? ", …" : "")
        let sentence =
            "\(NumberText.count(tooLong.count, "query", "queries")) too long for the context of "
            + "\(NumberText.grouped(model.model.configuration.longestSequence)) tokens (\(ids))"
        guard !batches.isEmpty else { throw invocation.error("no query is left: \(sentence)") }
        return (batches, "left out: \(sentence)" + (remark.map { "; " + $0 } ?? ""))
    }
}
