import LongWork

/// Turns progress of the method into the session's progress, and a request to stop into `.stop`.
///
/// Each phase of the work has its own clock, so that rate and remaining time are those of the
/// phase that is named.
final class ProgressFollower {
    /// The iteration that the next reports belong to.
    var iteration: WorkProgress.Step? { didSet { meter?.iteration = iteration } }
    /// The losses of all steps, also of those before a resumption.
    var losses: Course { didSet { meter?.losses = losses } }

    private let invocation: Invocation
    private var meter: ProgressMeter?
    private var phase: WorkProgress.Phase?
    private var pace: Pace
    private let start = ContinuousClock.now
    private let task: String?

    init(invocation: Invocation, task: String?, losses: Course) {
        self.invocation = invocation
        self.task = task
        self.losses = losses
        pace = Pace(startingAt: 0)
    }

    func follow(_ progress: WorkProgress) -> Continuation {
        if phase != progress.phase {
            meter?.finish()
            phase = progress.phase
            let name = progress.phase.rawValue
            meter = invocation.meter(task.map { "\($0): \(name)" } ?? name)
            meter?.iteration = iteration
            meter?.losses = losses
        }
        let seconds = (ContinuousClock.now - start).seconds
        if invocation.session.crew?.sending != nil { pace = Pace(startingAt: seconds) }
        pace.update(progress, at: seconds)
        meter?.update(progress, pace)
        return invocation.cancel()
    }

    func finish() {
        meter?.finish()
        meter = nil
    }
}
