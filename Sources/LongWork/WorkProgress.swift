/// The progress of long work: the one form of report of all verbs, from the engine to the screen.
///
/// `done`, `total` and `tokens` count within one *span*: one phase of one step. A run of several
/// steps also reports its step. `Pace` turns a sequence of reports into a rate and a remaining
/// time.
public struct WorkProgress: Sendable, Hashable {
    public enum Phase: String, Sendable, CaseIterable {
        case propose, rollout, generate, score, backward, update, train, judge, pretrain
    }

    public enum Unit: String, Sendable, CaseIterable {
        case pairs, responses, queries, tensors, comparisons, steps
    }

    /// Step `number` (counted from 1) of `count`.
    public struct Step: Sendable, Hashable {
        public var number: Int
        public var count: Int

        public init(_ number: Int, of count: Int) {
            (self.number, self.count) = (number, count)
        }
    }

    public var phase: Phase
    /// Number of finished units in this span, and of all units in it.
    public var done: Int
    public var total: Int
    /// The finished work on units that are not finished yet, in units: 0.5 for half of a query, 2
    /// for a half of each of four.
    public var underway: Double
    public var unit: Unit
    /// Tokens that went through the model in this span.
    public var tokens: Int
    /// The step that the span belongs to; nil for work without steps.
    public var step: Step?

    public init(
        _ phase: Phase, done: Int, of total: Int, underway: Double = 0, unit: Unit, tokens: Int = 0,
        step: Step? = nil
    ) {
        self.phase = phase
        self.done = done
        self.total = total
        self.underway = underway
        self.unit = unit
        self.tokens = tokens
        self.step = step
    }

    /// The share of the whole run that is finished, in 0...1: the finished steps and the finished
    /// share of the present step, with the units at hand.
    public var fraction: Double {
        let share = total > 0 ? min(1, max(0, (Double(done) + underway) / Double(total))) : 0
        guard let step, step.count > 0 else { return share }
        return min(1, (Double(step.number - 1) + share) / Double(step.count))
    }
}
