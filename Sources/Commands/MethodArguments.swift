import Alignment
import CommandLanguage
import LongWork
import Optimizers
import Tensors
import TextModels
import Tokenizers
import Transformers

/// Keys that several verbs share, described once.
enum MethodKey {
    static let model = OptionSpecification("model", .object("model"), "in place of `model`")
    static let base = OptionSpecification("base", .object("model"), "in place of `base`")
    static let seed = OptionSpecification("seed", .number, "in place of the session's seed")
    static let overflow = OptionSpecification(
        "overflow",
        .words([
            Choice("skip", "exclude queries that do not fit the context, with a note (default)"),
            Choice("error", "stop"),
        ]), "what to do with queries that do not fit")

    static let unfinished = OptionSpecification(
        "unfinished",
        .words([
            Choice("reject", "exclude its query, and count it"),
            Choice("keep", "use it unchanged"),
        ]),
        "what to do with a response that max_tokens cut off; default: keep for adapters, else reject"
    )

    static let preset = OptionSpecification(
        "preset",
        .words([
            Choice("tiny", "for the shipped model"),
            Choice("adapters", "for adapters on an instruct model"),
            Choice("paper", "the paper's settings"),
        ]),
        "named settings; default: tiny below 50 million parameters, else adapters for a model that "
            + "has them")
}

extension Invocation {
    // MARK: Models

    /// The model of a verb: the key `model`, or else the workspace's `model`.
    func model() throws -> ModelObject { try object(ModelObject.self, "model") }

    func tokenizer(of object: ModelObject) throws -> Tokenizer {
        if let tokenizer = object.tokenizer { return tokenizer }
        if let own = try objectIfBound(TokenizerObject.self, "tokenizer") { return own.tokenizer }
        throw error(
            "`\(call.title)` needs a tokenizer, and this model came without one",
            suggestion: "load tokenizer PATH")
    }

    /// A model with its tokenizer, or with the workspace's tokenizer if it has none.
    func textModel(_ object: ModelObject) throws -> TextModel {
        try object.textModel(try tokenizer(of: object))
    }

    /// The key of this command's random numbers: its own unless `seed=` is given.
    func randomKey() throws -> RandomKey {
        guard let seed = try integer("seed", atLeast: 0, atMost: 1 << 53) else { return key }
        return RandomKey(seed: UInt64(seed))
    }

    /// The preset that the user named, or else the one for the model's size and its adapters.
    ///
    /// - Parameter trainsAdapters: whether the work adds adapters to a model without.
    func plan(for model: ModelObject, trainsAdapters: Bool = false) throws -> IterationPlan {
        if let preset = try word("preset", IterationPlan.Preset.self) {
            return IterationPlan(preset)
        }
        let model = model.model
        if model.parameterCount < 50_000_000 { return .tiny }
        return trainsAdapters || model.configuration.adapter != nil ? .adapters : .paper
    }

    // MARK: Progress

    /// Follows long work: shows the progress and stops the work on the user's request.
    ///
    /// - Parameter losses: of the steps before a resumption.
    func follower(
        _ task: String? = nil, losses: some Sequence<Double> = []
    ) -> ProgressFollower {
        ProgressFollower(invocation: self, task: task, losses: Course(losses))
    }
}
