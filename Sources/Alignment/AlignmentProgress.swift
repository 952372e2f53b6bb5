/// How far a piece of long work is. The closure it is handed to answers whether to go on.
public struct AlignmentProgress: Sendable, Hashable {
    public enum Stage: String, Sendable {
        case propose, rollout, score, backward, train, judge
    }

    public var stage: Stage
    public var done: Int
    public var total: Int
    public var unit: String
    /// Tokens that went through the model so far in this stage, for a rate.
    public var tokens: Int
    /// A few words on how it goes, such as "loss 0.412".
    public var detail: String

    public init(
        _ stage: Stage, done: Int, of total: Int, unit: String, tokens: Int = 0, detail: String = ""
    ) {
        self.stage = stage
        self.done = done
        self.total = total
        self.unit = unit
        self.tokens = tokens
        self.detail = detail
    }
}
