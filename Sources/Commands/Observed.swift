import Alignment
import LongWork
import Rendering
import Tensors
import TextModels
import Tokenizers
import Transformers
import Values

/// The sequence that a verb looks into, as the model reads it.
struct ObservedSequence {
    var tokens: [Int32]
    /// Nil if the model has no tokenizer and the sequence was given as ids.
    var tokenizer: Tokenizer?

    /// The position that `at` names: negative numbers count from the end.
    func position(_ at: Int, _ invocation: Invocation) throws -> Int {
        let position = at < 0 ? at + tokens.count : at
        guard tokens.indices.contains(position) else {
            throw invocation.located(
                EvaluationError.indexOutOfRange(
                    index: at, count: tokens.count, what: "the sequence"),
                at: "at")
        }
        return position
    }

    func text(_ position: Int) -> String { TokenName.text(tokens[position], tokenizer) }
}

/// A token in a table: its text in quotes, so that blanks are visible and a person can type it.
enum TokenName {
    static func text(_ id: Int32, _ tokenizer: Tokenizer?) -> String {
        guard let tokenizer else { return "\(id)" }
        let text = tokenizer.text(of: id)
        // A part of a character has no text of its own, but the vocabulary spells it.
        if text.unicodeScalars.contains("\u{FFFD}"), let spelling = tokenizer.token(id) {
            return spelling
        }
        return text
    }

    static func quoted(_ text: String) -> String { "\"" + TextWidth.oneLine(text) + "\"" }
}

extension Invocation {
    /// The operand `text` as tokens: text, with the special tokens that begin a text; token ids; or
    /// a response with its training prompt.
    func observed(_ model: ModelObject) throws -> ObservedSequence {
        guard let value = try value("text") else {
            return ObservedSequence(tokens: [], tokenizer: model.tokenizer)
        }
        if let rollout = RolloutObject(onlyOf: value) {
            let batch = try contrastBatch(rollout, model)
            let own = batch[rollout.response.constitution, rollout.index]
            return ObservedSequence(tokens: own.tokens, tokenizer: model.tokenizer)
        }
        return try plainSequence(value, "text", model)
    }

    /// Text or token ids.
    func plainSequence(
        _ value: Value, _ role: String, _ model: ModelObject
    ) throws -> ObservedSequence {
        switch value {
        case .text(let text):
            let tokenizer = try tokenizer(of: model)
            return ObservedSequence(
                tokens: tokenizer.encode(beginning: text), tokenizer: tokenizer)
        case .list(let items) where !items.isEmpty && items.allSatisfy(\.isNumber):
            let size = model.model.configuration.vocabularySize
            let tokens = try items.map { item in
                guard let id = item.asInteger, (0..<size).contains(id) else {
                    throw located(
                        EvaluationError.outOfRange(
                            role: "a token id", rule: "0 to \(size - 1)", found: item.summary),
                        at: role)
                }
                return Int32(id)
            }
            return ObservedSequence(tokens: tokens, tokenizer: model.tokenizer)
        default:
            throw located(
                EvaluationError.wrongKind(
                    role: "`\(role)`", expected: "text, token ids or one of the rollouts",
                    found: value.aKind),
                at: role)
        }
    }

    /// All prompts and responses of a rollout's query as token ids.
    func contrastBatch(_ rollout: RolloutObject, _ model: ModelObject) throws -> ContrastBatch {
        let needsText = rollout.group.prompts.contains {
            if case .text = $0 { true } else { false }
        }
        return try ContrastBatch(
            rollout.group, tokenizer: needsText ? try tokenizer(of: model) : model.tokenizer,
            configuration: model.model.configuration)
    }

    /// Runs one pass of a look into a model. Shows its layers, and lets Ctrl-C stop it between two.
    func looking<Result>(
        into model: LanguageModel, _ body: (Watch) throws -> Result
    ) throws -> Result {
        var meter = meter()
        defer { meter.finish() }
        let layers = model.configuration.layers
        do {
            return try body { share in
                let passed = share * Double(layers)
                meter.update(
                    Int(passed), of: layers, underway: passed - passed.rounded(.down),
                    unit: "layers")
                return cancel()
            }
        } catch is Canceled {
            throw located(EvaluationError.interrupted("stopped; nothing has changed"))
        }
    }
}

extension RolloutObject {
    /// A rollout, or the first of a query's rollouts.
    init?(onlyOf value: Value) {
        if let one = value.object(RolloutObject.self) {
            self = one
        } else if let group = value.object(QueryRolloutsObject.self),
            let first = group.item(0).object(RolloutObject.self)
        {
            self = first
        } else {
            return nil
        }
    }
}
