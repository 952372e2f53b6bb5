import Foundation
import Tensors

/// Seconds of each of several runs of the same work.
func time(_ runs: Int, _ body: () throws -> Void) rethrows -> [Double] {
    try (0..<runs).map { _ in
        let start = ContinuousClock.now
        try body()
        return (ContinuousClock.now - start).seconds
    }
}

extension Duration {
    var seconds: Double {
        Double(components.seconds) + Double(components.attoseconds) * 1e-18
    }
}

/// A measurement: a table for people, one JSON line for programs.
struct Report {
    var title: String
    /// The fastest run.
    var seconds: Double
    var tokens: Int
    var work: Work
    var extra: [(String, Double)] = []

    func print() {
        let rate = MachinePeak.floatingPointRate()
        let floor = work.operations / rate
        var fields: [(String, Double)] = [
            ("seconds", seconds), ("tokens_per_second", Double(tokens) / seconds),
            ("floor_share", floor / seconds), ("rss_mb", Double(peakMemory()) / 1e6),
            ("gflop", work.operations / 1e9),
        ]
        fields += extra
        Swift.print(title)
        for (name, value) in fields + [("machine_gflops", rate / 1e9)] {
            Swift.print(
                "  \(name.padding(toLength: 20, withPad: " ", startingAt: 0)) \(number(value))")
        }
        Swift.print(
            "{" + fields.map { "\"\($0.0)\": \(number($0.1))" }.joined(separator: ", ") + "}")
    }

    private func number(_ value: Double) -> String {
        value >= 100 ? String(format: "%.0f", value) : String(format: "%.4g", value)
    }
}

/// The peak memory of this process, in bytes.
func peakMemory() -> Int {
    var usage = rusage()
    getrusage(__rusage_who_t(RUSAGE_SELF.rawValue), &usage)
    return usage.ru_maxrss * 1024
}

/// The rate of the largest matrix product that fits here, the reference for "floor".
enum MachinePeak {
    static func floatingPointRate() -> Double {
        let n = 1024
        let (a, b) = (
            Tensor(repeating: 0.5, shape: [n, n]), Tensor(repeating: 0.25, shape: [n, n])
        )
        var c = Tensor(zeros: [n, n])
        let best = time(8) { multiply(a, transposed: b, into: &c) }.min() ?? 1
        return 2 * Double(n * n * n) / best
    }
}
