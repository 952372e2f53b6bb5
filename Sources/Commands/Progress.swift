import Foundation
import LongWork
import Ranks
import Rendering

/// The progress of a long statement, for a host to show.
public struct Progress: Sendable, Equatable {
    /// "rollout"
    public var task: String
    /// The task of writing a statement's values, after its own work.
    package static let writing = "write"
    public var isOfWriting: Bool { task == Progress.writing }
    public var completed: Double
    public var total: Double?
    /// "queries"
    public var unit: String
    /// The finished share of the whole work, in 0...1, with the units at hand.
    public var share: Double?
    public var rate: Double?
    /// "tokens/s"
    public var rateUnit: String
    /// Seconds since the work began.
    public var elapsed: Double
    /// Estimated seconds left; of iterations, until the end of the present phase.
    public var remaining: Double?
    public var isFinished: Bool
    /// The present step of a run of steps, from 1; nil for work without steps.
    public var step: WorkProgress.Step?
    /// The present iteration, from 1; nil for work that is no iteration.
    public var iteration: WorkProgress.Step?
    /// The loss of every step so far, in nats, and of pretraining the smoothed one; empty for work
    /// that has none.
    public var losses = Course()
    /// Weights that are on their way to ranks; the work waits for them.
    public private(set) var sending: RankSending?

    /// The same while weights are sent: their share and no rate of the work.
    func waiting(for sending: RankSending?) -> Progress {
        guard let sending, !isFinished else { return self }
        var progress = self
        progress.sending = sending
        progress.share = Double(sending.done) / Double(max(1, sending.total))
        (progress.rate, progress.remaining) = (nil, nil)
        return progress
    }

    /// The unit of work that counts nothing else; its share is said once.
    package static let percent = "%"

    /// "12 of 64 queries"; "step 12 of 1,000" where the units are steps; nil for a share alone.
    var counted: String? {
        if let sending {
            return
                "weights to ranks: \(sending.done / 1_000_000) of \(sending.total / 1_000_000) MB"
        }
        if unit == Self.percent { return nil }
        let done = NumberText.grouped(Int(completed))
        guard let total else { return "\(done) \(unit)" }
        let all = NumberText.grouped(Int(total))
        return unit == WorkProgress.Unit.steps.rawValue
            ? "step \(done) of \(all)" : "\(done) of \(all) \(unit)"
    }

    /// `train  12/64 queries  19 %  0:21 left  431 tokens/s  step 2 of 9, loss 0.412  ▇▃▁`, cut to
    /// `width`; the least important parts are dropped first.
    ///
    /// - Parameter isUnicode: whether the course of the loss may stand at the end.
    public func line(width: Int, isUnicode: Bool = false) -> String {
        var parts = [task]
        if sending != nil || unit == Self.percent {
            if let counted { parts.append(counted) }
        } else if let total {
            parts.append(
                "\(NumberText.grouped(Int(completed)))/\(NumberText.grouped(Int(total))) \(unit)")
        } else {
            parts.append("\(NumberText.grouped(Int(completed))) \(unit)")
        }
        // Never 100 % before the end.
        if let share, !isFinished { parts.append("\(Int(100 * min(max(share, 0), 0.99))) %") }
        if isFinished {
            parts.append(NumberText.duration(elapsed))
        } else if let remaining {
            parts.append(NumberText.duration(remaining < 1 ? 1 : remaining.rounded(.up)) + " left")
        }
        if let rate { parts.append("\(NumberText.significant(rate, digits: 3)) \(rateUnit)") }
        var words = [iteration.map { "iteration \($0.number) of \($0.count)" }]
        // Steps that are counted already are not said twice.
        if unit != WorkProgress.Unit.steps.rawValue {
            words.append(step.map { "step \($0.number) of \($0.count)" })
        }
        words.append(loss)
        let said = words.compactMap(\.self).joined(separator: ", ")
        if !said.isEmpty { parts.append(said) }
        if isUnicode {
            let course = Sparkline.text(losses.points.map(\.value), cells: 16)
            if !course.isEmpty { parts.append(course) }
        }
        while parts.count > 2, TextWidth.of(parts.joined(separator: "  ")) > width {
            parts.removeLast()
        }
        return TextWidth.cut(parts.joined(separator: "  "), to: max(1, width))
    }

    /// "loss 0.412"; nil before the first step.
    var loss: String? { losses.last.map { "loss \(NumberText.fixed($0, decimals: 3))" } }
}

/// Makes progress reports from counts: measures the rate, and sends at most ten reports a second.
package struct ProgressMeter {
    let task: String
    private var start = ContinuousClock.now
    private var lastReport: ContinuousClock.Instant?
    private let handler: ((Progress) -> Void)?
    /// Weights that the work waits for; its time does not count.
    private let sending: () -> RankSending?
    /// Seconds; shorter work makes no reports.
    private let patience: Double
    private var last: Progress?
    /// What the reports carry besides counts.
    package var iteration: WorkProgress.Step?
    package var losses = Course()

    package init(
        task: String, patience: Double = 0, sending: @escaping () -> RankSending? = { nil },
        report: ((Progress) -> Void)?
    ) {
        self.task = task
        self.sending = sending
        self.patience = patience
        handler = report
    }

    /// A report of the method. The caller keeps its pace over the steps of a run.
    mutating func update(_ progress: WorkProgress, _ pace: Pace) {
        guard isDue(progress.done, of: progress.total) else { return }
        report(
            Progress(
                task: task, completed: Double(progress.done), total: Double(progress.total),
                unit: progress.unit.rawValue, share: progress.fraction, rate: pace.tokensPerSecond,
                rateUnit: "tokens/s", elapsed: (ContinuousClock.now - start).seconds,
                remaining: pace.elapsed < 1 ? nil : pace.secondsLeft,
                isFinished: false, step: progress.step, iteration: iteration, losses: losses))
    }

    /// - Parameter underway: the finished work on units that are not finished, in units.
    package mutating func update(
        _ completed: Int, of total: Int?, underway: Double = 0, unit: String, tokens: Int = 0
    ) {
        guard isDue(completed, of: total) else { return }
        let elapsed = (ContinuousClock.now - start).seconds
        let share = total.map { $0 > 0 ? min(1, (Double(completed) + underway) / Double($0)) : 1 }
        report(
            Progress(
                task: task, completed: Double(completed), total: total.map(Double.init), unit: unit,
                share: share,
                rate: tokens > 0 && elapsed > 0 ? Double(tokens) / elapsed : nil,
                rateUnit: "tokens/s", elapsed: elapsed,
                remaining: elapsed < 1
                    ? nil
                    : share.flatMap {
                        $0 > 0 ? elapsed * (1 - $0) / $0 : nil
                    },
                isFinished: false))
    }

    /// Whether a report is worth making: one that can be sent now, or the last of a span. Work
    /// reports before every block of a model, which may be ten thousand times a second.
    private func isDue(_ done: Int, of total: Int?) -> Bool {
        guard handler != nil, done == total || canSend else { return false }
        return patience == 0 || (ContinuousClock.now - start).seconds >= patience
    }

    private var canSend: Bool {
        // The first report goes out at once: the first part of the work may be long.
        lastReport.map { (ContinuousClock.now - $0).seconds >= 0.1 } ?? true
    }

    private mutating func report(_ progress: Progress) {
        last = progress
        guard canSend else { return }
        lastReport = ContinuousClock.now
        let sending = sending()
        if sending != nil { start = ContinuousClock.now }
        handler?(progress.waiting(for: sending))
    }

    /// Sends the last report, so that a host can end its line; nothing if there was no report
    /// before.
    package mutating func finish() {
        guard let handler, lastReport != nil, var last else { return }
        last.isFinished = true
        last.elapsed = (ContinuousClock.now - start).seconds
        last.remaining = nil
        last.losses = losses
        handler(last)
    }
}

extension Duration {
    package var seconds: Double {
        let (seconds, attoseconds) = components
        return Double(seconds) + Double(attoseconds) * 1e-18
    }
}
