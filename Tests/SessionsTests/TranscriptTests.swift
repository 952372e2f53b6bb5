import Foundation
import TestSupport
import Testing

@testable import Commands
@testable import Rendering
@testable import Sessions

/// Ten minutes of a newcomer, a researcher and a teacher, as they were typed: every statement gives
/// the output that stands below it, slips and errors included.
///
/// Numbers with a fraction differ between processors in their last digits, so they are compared as
/// places. With `SAMI_RECORD=1` the outputs are written instead of compared; read the difference.
@Suite(.enabled(if: Workbench.hasShippedModel, "models/tiny is not here"))
struct TranscriptTests {
    private struct Step {
        var statement: String
        var output: [String] = []
    }

    @Test(arguments: ["newcomer", "researcher", "teacher"])
    func `ten minutes give the outputs that were seen`(who: String) throws {
        let path = Fixture.path("transcripts/\(who).txt")
        let text = try String(contentsOfFile: path, encoding: .utf8)
        let seen = try compare(text, isRecording: isRecording)
        if isRecording { try Data(seen.utf8).write(to: URL(fileURLWithPath: path)) }
    }

    @Test func `the session of the README gives the outputs of the README`() throws {
        let readme = try String(contentsOfFile: Repository.path("README.md"), encoding: .utf8)
        let block = readme.components(separatedBy: "```\n").first { $0.hasPrefix("sami> ") }
        try compare(try #require(block), isRecording: false)
    }

    /// Runs the statements of a transcript and compares each output.
    ///
    /// - Returns: the transcript with the outputs of this run.
    @discardableResult
    private func compare(_ text: String, isRecording: Bool) throws -> String {
        let lines = text.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
        var head: [String] = []
        var steps: [Step] = []
        for line in lines.last == "" ? lines.dropLast() : lines {
            if line.hasPrefix("sami> ") {
                steps.append(Step(statement: String(line.dropFirst(6))))
            } else if line.hasPrefix("  ... "), steps.last?.output.isEmpty == true {
                steps[steps.count - 1].statement += "\n" + line.dropFirst(6)
            } else if steps.isEmpty {
                head.append(line)
            } else {
                steps[steps.count - 1].output.append(line)
            }
        }
        #expect(steps.count > 10)
        let bench = try Workbench(access: .readWrite)
        var seen = head
        for step in steps {
            let output = self.output(of: step.statement, bench)
            let expected = step.output.joined(separator: "\n")
            #expect(masked(output) == masked(expected) || isRecording, "\(step.statement)")
            seen.append("sami> " + step.statement.replacing("\n", with: "\n  ... "))
            if !output.isEmpty { seen.append(output) }
        }
        return seen.joined(separator: "\n") + "\n"
    }

    private var isRecording: Bool {
        ProcessInfo.processInfo.environment["SAMI_RECORD"] == "1"
    }

    private func output(of statement: String, _ bench: Workbench) -> String {
        bench.run(statement).flatMap { outcome -> [String] in
            switch outcome.result {
            case .success(let output): output.displays.map { $0.text().plain }
            case .failure(let failure): [failure.rendered()]
            }
        }.filter { !$0.isEmpty }.joined(separator: "\n")
    }

    /// The text without its digits after a point, exponents, times, sizes, and the width of blanks:
    /// the bytes of a log are those of its digits.
    private func masked(_ text: String) -> String {
        text.replacing(/[-+<≈]?\d+\.\d+(e[-+]?\d+)?/, with: "#")
            .replacing(/-?\d+e[-+]\d+/, with: "#")
            .replacing(/\d{4}-\d\d-\d\d \d\d:\d\d/, with: "#")
            .replacing(/# m?s\b|\d+ m?s\b|\d+ bytes\b/, with: "#")
            .replacing(#/ +/#, with: " ")
    }
}
