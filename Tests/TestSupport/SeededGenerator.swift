import Testing

/// Repeatable random numbers: SplitMix64 (Steele, Lea, Flood: Fast splittable pseudorandom number
/// generators; OOPSLA 2014).
public struct SeededGenerator: RandomNumberGenerator, Sendable {
    private var state: UInt64

    public init(_ seed: UInt64) { state = seed }

    public mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var bits = state
        bits = (bits ^ (bits >> 30)) &* 0xBF58_476D_1CE4_E5B9
        bits = (bits ^ (bits >> 27)) &* 0x94D0_49BB_1331_11EB
        return bits ^ (bits >> 31)
    }

    public mutating func below(_ bound: Int) -> Int { Int.random(in: 0..<bound, using: &self) }
}

private enum CurrentSeed {
    @TaskLocal static var seed: UInt64?
}

/// Calls `body` with a generator for every seed. In a test or suite with the trait `.namesSeeds`,
/// every failure inside names its seed.
public func withEvery(
    _ seeds: Range<UInt64>,
    _ body: (_ seed: UInt64, _ generator: inout SeededGenerator) throws -> Void
) rethrows {
    for seed in seeds {
        var generator = SeededGenerator(seed)
        try CurrentSeed.$seed.withValue(seed) { try body(seed, &generator) }
    }
}

extension Trait where Self == IssueHandlingTrait {
    /// Adds the seed of `withEvery` to each failure.
    public static var namesSeeds: Self {
        .compactMapIssues { issue in
            var issue = issue
            if let seed = CurrentSeed.seed { issue.comments.append("seed \(seed)") }
            return issue
        }
    }
}
