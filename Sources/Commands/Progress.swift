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
struct ProgressMeter {
    let task: String
    private let start = ContinuousClock.now
    private var lastReport: ContinuousClock.Instant?
    private let handler: ((Progress) -> Void)?
    private var last: Progress?

    init(task: String, report: ((Progress) -> Void)?) {
        self.task = task
        handler = report
    }

    /// A report of the method. The caller keeps its pace over the steps of a run.
    mutating func update(_ progress: WorkProgress, _ pace: Pace) {
        let step = progress.step.map { "step \($0.number) of \($0.count)" } ?? ""
        report(
            Progress(
                task: task, completed: Double(progress.done), total: Double(progress.total),
                unit: progress.unit.rawValue, rate: pace.tokensPerSecond, rateUnit: "tokens/s",
                detail: [step, progress.detail].filter { !$0.isEmpty }.joined(separator: ", "),
                elapsed: (ContinuousClock.now - start).seconds, remaining: pace.secondsLeft,
                isFinished: false))
    }

    mutating func update(
        _ completed: Int, of total: Int?, unit: String, tokens: Int = 0, detail: String = ""
    ) {
        let elapsed = (ContinuousClock.now - start).seconds
        let share = total.map { $0 > 0 ? Double(completed) / Double($0) : 1 }
        report(
            Progress(
                task: task, completed: Double(completed), total: total.map(Double.init), unit: unit,
                rate: tokens > 0 && elapsed > 0 ? Double(tokens) / elapsed : nil,
                rateUnit: "tokens/s", detail: detail, elapsed: elapsed,
                remaining: share.flatMap { $0 > 0 ? elapsed * (1 - $0) / $0 : nil },
                isFinished: false))
    }

    private mutating func report(_ progress: Progress) {
        guard let report = handler else { return }
        let now = ContinuousClock.now
        last = progress
        if let lastReport, (now - lastReport).seconds < 0.1 { return }
        // Short work shows nothing.
        guard progress.elapsed > 0.2 else { return }
        lastReport = now
        report(progress)
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
