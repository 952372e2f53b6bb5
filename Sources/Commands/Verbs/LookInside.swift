import CommandLanguage
import Rendering
import Tensors
import Transformers
import Values

/// Verbs that show the inside of a model: logits, hidden states, attention, the lens.
extension CommandTable {
    static let logitsCommand = Command(
        "logits", .looking, "the logits after each token of a text: a tensor (tokens, vocabulary)",
        about: """
            Row t scores the token after token t. log_softmax(logits(…)) is the model's log-prob. \
            The size is bounded by `set tensor_limit=`; last=true gives the last row alone, \
            (vocabulary,).
            """,
        makes: ["_"], effect: .looks, operands: [observedText],
        options: [
            OptionSpecification(
                "last", .flag, "only the logits after the last token; default: false"),
            MethodKey.model,
        ],
        example: "logits \"Summary:\" last=true", run: logits)

    static let hiddenCommand = Command(
        "hidden", .looking, "the hidden states of a layer: a tensor (tokens, width)",
        about: """
            Layer 0 is the embeddings, layer l the residual stream after block l. The last layer \
            has passed the last norm too: it is the input of the head. So `hidden layer=l` is \
            item l of transformers' output_hidden_states. Negative layers count from the end.
            """,
        makes: ["_"], effect: .looks, operands: [observedText],
        options: [
            OptionSpecification("layer", .number, "0 to the number of blocks; -1, the last"),
            MethodKey.model,
        ],
        example: "hidden \"Summary:\" layer=3", run: hidden)

    static let attentionCommand = Command(
        "attention", .looking, "attention probabilities: a tensor (tokens, tokens)",
        about: """
            Row t says how much token t looks at each token up to itself; it sums to 1. Layer l \
            is the block that reads `hidden layer=l`, item l of transformers' output_attentions. \
            Without `head` all heads come, (heads, tokens, tokens).
            """,
        makes: ["_"], effect: .looks, operands: [observedText],
        options: [
            OptionSpecification("layer", .number, "0 to the number of blocks - 1; -1, the last"),
            OptionSpecification("head", .number, "one head, counted from 0; default: all"),
            MethodKey.model,
        ],
        example: "attention \"Summary: my sister\" layer=3 head=1", run: attention)

    static let lensCommand = Command(
        "lens", .looking, "the likeliest next token if the model ended after each layer",
        about: """
            The logit lens: the hidden state of each layer at one token, through the last norm \
            and the head. One sees at which layer the answer appears.
            """,
        makes: ["_"], effect: .looks, operands: [observedText],
        options: [
            OptionSpecification(
                "at", .number, "the token whose next one is asked for; -1, the last"),
            MethodKey.model,
        ],
        example: "lens \"Principles for\"", run: lens)

    private static let observedText = OperandSpecification.required(
        "text", .expression, "text in quotes, token ids, or one of `rollouts`")

    private static func logits(_ invocation: Invocation) throws -> CommandResult {
        let model = try invocation.model()
        let tokens = try invocation.observed(model).tokens
        let isLast = try invocation.flag("last") ?? false
        let rows = isLast ? Array(tokens.indices.suffix(1)) : Array(tokens.indices)
        let size = model.model.configuration.vocabularySize
        try invocation.bound(
            [rows.count, size], suggestion: "last=true gives the logits after the last token alone")
        let logits = try invocation.looking(into: model.model) { watch in
            try model.model.logits(tokens, rows: rows, watch: watch)
        }
        return CommandResult(value: .tensor(isLast ? logits.reshaped([size]) : logits))
    }

    private static func hidden(_ invocation: Invocation) throws -> CommandResult {
        let model = try invocation.model()
        let tokens = try invocation.observed(model).tokens
        let configuration = model.model.configuration
        let layer = try invocation.layer(of: configuration.layers + 1)
        try invocation.bound(
            [tokens.count, configuration.hiddenSize], suggestion: "take a shorter text")
        return CommandResult(
            value: .tensor(
                try invocation.looking(into: model.model) { watch in
                    try model.model.hiddenState(tokens, layer: layer, watch: watch)
                }))
    }

    private static func attention(_ invocation: Invocation) throws -> CommandResult {
        let model = try invocation.model()
        let tokens = try invocation.observed(model).tokens
        let configuration = model.model.configuration
        let layer = try invocation.layer(of: configuration.layers)
        let head = try invocation.integer(
            "head", atLeast: -configuration.heads, atMost: configuration.heads - 1)
        let heads =
            head.map { [$0 < 0 ? $0 + configuration.heads : $0] }
            ?? Array(0..<configuration.heads)
        try invocation.bound(
            [heads.count, tokens.count, tokens.count],
            suggestion: heads.count > 1 ? "head=0 gives one head" : "take a shorter text")
        let found = try invocation.looking(into: model.model) { watch in
            try model.model.attention(
                tokens, layer: layer, heads: heads, watch: watch)
        }
        return CommandResult(
            value: .tensor(head == nil ? found : found.reshaped([tokens.count, tokens.count])))
    }

    private static func lens(_ invocation: Invocation) throws -> CommandResult {
        let model = try invocation.model()
        let sequence = try invocation.observed(model)
        let row =
            sequence.tokens.isEmpty
            ? 0
            : try sequence.position(
                try invocation.integer("at", atLeast: -(1 << 31)) ?? -1, invocation)
        let logits = try invocation.looking(into: model.model) { watch in
            try model.model.lens(sequence.tokens, row: row, watch: watch)
        }
        let (values, width) = (logits.values, logits.columns)
        let last = NextTokensObject.likeliest(1, of: Array(values.suffix(width)))
        var table = Table([
            .init("layer", isNumeric: true), .init("likeliest"), .init("id", isNumeric: true),
            .init("probability", isNumeric: true), .init("entropy", isNumeric: true),
            .init("of the last layer's token", isNumeric: true),
        ])
        table.styles = [0: .faint, 2: .faint]
        var rows: [Value] = []
        for layer in 0..<logits.rows {
            let line = Array(values[layer * width..<(layer + 1) * width])
            let best = NextTokensObject.likeliest(1, of: line)[0]
            let found = NextTokensObject.Distribution(line, at: [best, last[0]])
            let text = TokenName.text(best, sequence.tokenizer)
            table.append([
                "\(layer)", TokenName.quoted(text), "\(best)",
                NumberText.percent(found.probabilities[0], decimals: 2),
                NumberText.fixed(found.entropy, decimals: 3),
                NumberText.percent(found.probabilities[1], decimals: 2),
            ])
            rows.append(
                .record([
                    "layer": Value(layer), "token": .text(text), "id": Value(Int(best)),
                    "probability": .number(found.probabilities[0]),
                    "logprob": .number(found.logProbs[0]), "entropy": .number(found.entropy),
                    "last_token_probability": .number(found.probabilities[1]),
                ]))
        }
        var document = Document("lens ", .heading)
        document.append("after token \(row), \(TokenName.quoted(sequence.text(row)))")
        document.line(table)
        document.line(
            "layer 0: the embeddings; layer \(logits.rows - 1): the model's own answer", .faint)
        return CommandResult(
            value: .list(rows), Display(document, invocation.appearance, data: .list(rows)))
    }
}

extension Invocation {
    /// The option `layer`; the last one by default.
    fileprivate func layer(of count: Int) throws -> Int {
        let layer = try integer("layer", atLeast: -count, atMost: count - 1) ?? -1
        return layer < 0 ? layer + count : layer
    }

    /// Refuses a tensor beyond the limit before any work.
    fileprivate func bound(_ shape: [Int], suggestion: String) throws {
        do throws(EvaluationError) {
            try Limits.check(shape)
        } catch {
            throw self.error(error.message, suggestion: suggestion, at: "text")
        }
    }
}
