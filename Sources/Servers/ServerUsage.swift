import Synchronization

/// What a server's tokens cost, in a currency that only the person knows.
public struct TokenPrice: Sendable, Hashable, Codable {
    /// Of a million tokens that are read, and that are written.
    public var input: Double
    public var output: Double

    public init(input: Double, output: Double) {
        self.input = input
        self.output = output
    }
}

extension ServerUsage.Counts {
    /// What the answers cost that were asked for; those that were kept before cost nothing again.
    /// It is a lower bound if some are `uncounted`.
    public func cost(_ price: TokenPrice) -> Double {
        (Double(promptTokens) * price.input + Double(completionTokens) * price.output) / 1e6
    }
}

/// What an engine has asked for, over all of its work.
public final class ServerUsage: Sendable {
    public struct Counts: Sendable, Hashable {
        /// Requests that a server answered.
        public var asked = 0
        /// Answers that were kept before.
        public var reused = 0
        /// Requests that were sent again.
        public var repeated = 0
        public var promptTokens = 0
        public var completionTokens = 0
        /// Answers that do not say how many tokens they took.
        public var uncounted = 0
        /// Answers longer than `max_tokens`.
        public var tooLong = 0
        /// Answers that went on after a stop string.
        public var unstopped = 0
        /// Why its requests went to other servers; nil if none did.
        public var failure: String?
    }

    private let state = Mutex(Counts())

    public var counts: Counts { state.withLock { $0 } }

    func reused(_ count: Int) { state.withLock { $0.reused += count } }
    func repeated(_ count: Int) { state.withLock { $0.repeated += count } }
    func ignoredStop() { state.withLock { $0.unstopped += 1 } }
    func failed(_ reason: String) { state.withLock { $0.failure = reason } }

    /// A refusal has no text and costs nothing.
    func refused() { state.withLock { $0.asked += 1 } }

    /// - Parameter limit: `max_tokens`, if it is of interest whether the answer is longer.
    func asked(reading: Int?, writing: Int?, limit: Int? = nil) {
        state.withLock {
            $0.asked += 1
            $0.promptTokens += reading ?? 0
            $0.completionTokens += writing ?? 0
            if reading == nil || writing == nil { $0.uncounted += 1 }
            if let limit, writing ?? 0 > limit { $0.tooLong += 1 }
        }
    }
}
