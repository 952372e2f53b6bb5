/// The speed of a run, from its reports and their times.
///
/// A run is a sequence of reports of one phase with one number of steps; a report of another phase
/// begins a new run. Rate and remaining time refer to the part of the run that the pace has seen.
/// After a resumption the first report may belong to a later step, or have finished units although
/// no token went through the model; such steps and units do not count. Times are in seconds since
/// any fixed moment.
public struct Pace: Sendable {
    /// Time and fraction at the beginning of the run, as far as this pace knows.
    private var start: (seconds: Double, fraction: Double)
    private var last: WorkProgress?
    /// Tokens of the run's finished spans.
    private var earlierTokens = 0
    private var now: Double

    /// - Parameter seconds: when the work began.
    public init(startingAt seconds: Double) {
        start = (seconds, 0)
        now = seconds
    }

    /// Adds the next report.
    public mutating func update(_ progress: WorkProgress, at seconds: Double) {
        if let last, last.phase == progress.phase, last.step?.count == progress.step?.count,
            last.place <= progress.place
        {
            // A new span counts its tokens from zero.
            if last.step != progress.step { earlierTokens += last.tokens }
        } else {
            // The work between the last report and this one belongs to the new run.
            let before = progress.step.map { Double($0.number - 1) / Double(max(1, $0.count)) }
            let isUntouched = progress.tokens == 0 && progress.underway == 0
            start = (now, before ?? (isUntouched ? progress.fraction : 0))
            earlierTokens = 0
        }
        last = progress
        now = seconds
    }

    /// Tokens per second over the run; nil before there is enough data.
    public var tokensPerSecond: Double? {
        guard let last, elapsed > 0 else { return nil }
        let tokens = earlierTokens + last.tokens
        return tokens > 0 ? Double(tokens) / elapsed : nil
    }

    /// Seconds to the end of the run at the speed so far; nil before there is enough data.
    public var secondsLeft: Double? {
        guard let last else { return nil }
        let done = last.fraction - start.fraction
        return done > 0 ? elapsed * (1 - last.fraction) / done : nil
    }

    /// Seconds from the beginning of the run to its last report.
    public var elapsed: Double { now - start.seconds }
}

extension WorkProgress {
    /// Grows within a run. The work underway is an estimate and does not count.
    fileprivate var place: (step: Int, done: Int) { (step?.number ?? 0, done) }
}
