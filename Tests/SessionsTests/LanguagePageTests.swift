import Foundation
import TestSupport
import Testing

@testable import Commands
@testable import Sessions
@testable import Values

/// docs/LANGUAGE.md: its session runs, and each statement has the output that stands below it.
@Suite struct LanguagePageTests {
    @Test func `the session of the page gives the outputs of the page`() throws {
        let page = try String(contentsOfFile: Repository.path("docs/LANGUAGE.md"), encoding: .utf8)
        let blocks = page.components(separatedBy: "```\n").filter { $0.hasPrefix("sami> ") }
        #expect(!blocks.isEmpty)
        for block in blocks {
            let bench = try Workbench()
            for part in block.components(separatedBy: "sami> ").dropFirst() {
                var lines = part.split(separator: "\n", omittingEmptySubsequences: false)
                if lines.last == "" { lines.removeLast() }
                let statement = String(lines.removeFirst())
                let output = try bench.output(statement)
                let shown = output.displays.map { $0.text().plain }.joined(separator: "\n")
                #expect(shown == lines.joined(separator: "\n"), "\(statement)")
            }
        }
    }
}
