import JSON

/// Compares the outputs of a run with those that a notebook holds.
///
/// Texts must be equal. Numbers may differ by 1e-6 + 1e-3 |x|, since sums have another order on
/// another processor; times and dates may be any. Cells tagged `nbval-ignore-output` are left out.
public enum NotebookComparison {
    public struct Difference: Equatable, Sendable {
        /// The number of the cell, from 1.
        public var cell: Int
        public var before: String
        public var now: String
    }

    /// - Parameter now: the same notebook after a run.
    public static func differences(_ before: Notebook, _ now: Notebook) -> [Difference] {
        zip(before.cells, now.cells).enumerated().compactMap { index, pair in
            let (old, new) = pair
            guard old.kind == .code, !old.tags.contains("nbval-ignore-output") else { return nil }
            let (a, b) = (lines(old.outputs), lines(new.outputs))
            for place in 0..<max(a.count, b.count) {
                let before = place < a.count ? a[place] : ""
                let after = place < b.count ? b[place] : ""
                if !isSame(before, after) {
                    return Difference(cell: index + 1, before: before, now: after)
                }
            }
            return nil
        }
    }

    /// The plain text of all outputs, line by line, without the progress that a kernel showed.
    private static func lines(_ outputs: [JSON]) -> [String] {
        outputs.flatMap { output -> [String] in
            guard !CellOutput.isProgress(output) else { return [] }
            let text: String
            switch output["output_type"]?.string {
            case "error": text = "error: " + (output["evalue"]?.string ?? "")
            case "stream": text = output["text"]?.joinedLines ?? ""
            default: text = output["data"]?["text/plain"]?.joinedLines ?? ""
            }
            return text.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
        }
    }

    /// A run of characters of a line: a number, a time, or other text.
    private enum Part: Equatable {
        case number(Double)
        case time
        case text(Substring)
    }

    static func isSame(_ before: String, _ now: String) -> Bool {
        let (a, b) = (parts(before), parts(now))
        guard a.count == b.count else { return false }
        return zip(a, b).allSatisfy { old, new in
            guard case (.number(let x), .number(let y)) = (old, new) else { return old == new }
            return x == y || (x - y).magnitude <= 1e-6 + 1e-3 * max(x.magnitude, y.magnitude)
        }
    }

    private static func parts(_ line: String) -> [Part] {
        let time = /\d+:\d\d(:\d\d)?|\d{4}-\d\d-\d\d|\d+(\.\d+)? m?s\b/
        let number = /[-+]?\d+(\.\d+)?(e[-+]?\d+)?/
        var parts: [Part] = []
        var rest = Substring(line)
        while !rest.isEmpty {
            if let match = rest.prefixMatch(of: time) {
                parts.append(.time)
                rest = rest[match.range.upperBound...]
            } else if let match = rest.prefixMatch(of: number) {
                parts.append(.number(Double(match.output.0) ?? .nan))
                rest = rest[match.range.upperBound...]
            } else {
                let end =
                    rest.dropFirst().firstIndex {
                        $0.isNumber || $0 == "-" || $0 == "+" || $0.isWhitespace
                    } ?? rest.endIndex
                let text = rest[..<end]
                // Columns move with the digits of their numbers.
                if !text.allSatisfy(\.isWhitespace) { parts.append(.text(text)) }
                rest = rest[end...]
            }
        }
        return parts
    }
}
