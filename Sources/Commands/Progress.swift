import Foundation
import LongWork
import Rendering

/// The progress of a long statement, for a host to show.
public struct Progress: Sendable, Equatable {
    /// "rollout"
    public var task: String
    public var completed: Double
    public var total: Double?
    /// "queries"
    public var unit: String
    /// The finished share of the whole work, in 0...1, with the units at hand.
    public var share: Double?
    public var rate: Double?
    /// "tokens/s"
    public var rateUnit: String
    /// "loss 0.412"
    public var detail: String
    /// Seconds since the work began.
    public var elapsed: Double
    /// Estimated seconds left.
    public var remaining: Double?
    public var isFinished: Bool

    /// `rollout  12/64 queries  19 %  431 tokens/s  0:21 left  loss 0.41`, cut to `width`; the
    /// least important parts are dropped first.
    public func line(width: Int) -> String {
        var parts = [task]
        if let total {
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
        if !detail.isEmpty { parts.append(detail) }
        while parts.count > 2, TextWidth.of(parts.joined(separator: "  ")) > width {
            parts.removeLast()
        }
        return TextWidth.cut(parts.joined(separator: "  "), to: max(1, width))
    }
}

/// Makes progress reports from counts: measures the rate, and sends at most ten reports a second.
package struct ProgressMeter {
    let task: String
    private let start = ContinuousClock.now
    private var lastReport: ContinuousClock.Instant?
    private let handler: ((Progress) -> Void)?
    private var last: Progress?

    package init(task: String, report: ((Progress) -> Void)?) {
        self.task = task
        handler = report
    }

    /// A report of the method. The caller keeps its pace over the steps of a run.
    mutating func update(_ progress: WorkProgress, _ pace: Pace) {
        guard isDue(progress.done, of: progress.total) else { return }
        let step = progress.step.map { "step \($0.number) of \($0.count)" } ?? ""
        report(
            Progress(
                task: task, completed: Double(progress.done), total: Double(progress.total),
                unit: progress.unit.rawValue, share: progress.fraction, rate: pace.tokensPerSecond,
                rateUnit: "tokens/s",
                detail: [step, progress.detail].filter { !$0.isEmpty }.joined(separator: ", "),
                elapsed: (ContinuousClock.now - start).seconds,
                remaining: pace.elapsed < 1 ? nil : pace.secondsLeft,
                isFinished: false))
    }

    /// - Parameter underway: the finished work on units that are not finished, in units.
    package mutating func update(
        _ completed: Int, of total: Int?, underway: Double = 0, unit: String, tokens: Int = 0,
        detail: String = ""
    ) {
        guard isDue(completed, of: total) else { return }
        let elapsed = (ContinuousClock.now - start).seconds
        let share = total.map { $0 > 0 ? min(1, (Double(completed) + underway) / Double($0)) : 1 }
        report(
            Progress(
                task: task, completed: Double(completed), total: total.map(Double.init), unit: unit,
                share: share,
                rate: tokens > 0 && elapsed > 0 ? Double(tokens) / elapsed : nil,
                rateUnit: "tokens/s", detail: detail, elapsed: elapsed,
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
        handler != nil && (done == total || canSend)
    }

    private var canSend: Bool {
        // The first report goes out at once: the first part of the work may be long.
        lastReport.map { (ContinuousClock.now - $0).seconds >= 0.1 } ?? true
    }

    private mutating func report(_ progress: Progress) {
        last = progress
        guard canSend else { return }
        lastReport = ContinuousClock.now
        handler?(progress)
    }

    /// Sends the last report, so that a host can end its line; nothing if there was no report
    /// before.
    package mutating func finish() {
        guard let handler, lastReport != nil, var last else { return }
        last.isFinished = true
        last.elapsed = (ContinuousClock.now - start).seconds
        last.remaining = nil
        handler(last)
    }
}

extension Duration {
    package var seconds: Double {
        let (seconds, attoseconds) = components
        return Double(seconds) + Double(attoseconds) * 1e-18
    }
}
