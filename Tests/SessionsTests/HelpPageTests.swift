import CommandLanguage
import Foundation
import TestSupport
import Testing

@testable import Commands
@testable import Sessions
@testable import Values

/// Pages of `help`, hints for hands from elsewhere, and pasted transcripts.
@Suite(.enabled(if: Workbench.hasShippedModel, "models/tiny is not here"))
struct HelpPageTests {
    @Test func `every example of a page runs`() throws {
        let bench = try Workbench()
        try bench.output(
            """
            load model default; load principles trained; load queries summaries count=2
            compose count=2 principles_each=2; rollout; score; contrast
            """)
        for page in HelpPages.pages {
            let examples = page.text.split(separator: "\n").filter { $0.hasPrefix("  ") }
            #expect(page.name == "presets" || !examples.isEmpty)
            for example in examples { try bench.output(String(example)) }
        }
    }

    @Test func `every topic has a page, and Tab offers it`() throws {
        let bench = try Workbench()
        for topic in Help.topics { #expect(try !bench.text("help \(topic.word)").isEmpty) }
        let found = bench.session.completions(in: "help oper", at: 9).items.map(\.text)
        #expect(found == ["operators"])
        let all = bench.session.completions(in: "help ", at: 5).items.map(\.text)
        #expect(Set(all) == Set(Help.topics.map(\.word)))
    }

    @Test(arguments: [
        ("clear", "Ctrl-L"), ("cd ..", "paths start from"), ("pwd", "paths start from"),
        ("import numpy", "`source FILE`"), ("def f(x)", "f(x) = expression"),
        ("print(3)", "type it alone"), ("while true", "for x in list"), ("del x", "`rm NAME`"),
        ("rollout?", "`help rollout`"), ("?rollout", "`help rollout`"),
    ])
    func `a word from elsewhere gets an answer`(statement: String, advice: String) throws {
        let complaint = try Workbench().complaint(statement)
        #expect(complaint.contains(advice), "\(complaint)")
    }

    @Test func `exit leaves like quit`() throws {
        let bench = try Workbench()
        try bench.output("exit")
        #expect(bench.session.isFinished)
    }

    /// The README's own session, with its prompts and outputs.
    @Test func `a pasted transcript runs its statements and skips its outputs`() throws {
        let readme = try String(
            contentsOfFile: Repository.path("README.md"), encoding: .utf8)
        let start = try #require(readme.range(of: "```\nsami> "))
        let end = try #require(readme.range(of: "\n```", range: start.upperBound..<readme.endIndex))
        let transcript = "sami> " + readme[start.upperBound..<end.lowerBound]
        let program = Session.parse(transcript)
        #expect(program.diagnostics.isEmpty, "\(program.diagnostics)")
        let prompts = transcript.split(separator: "\n").filter { $0.hasPrefix("sami> ") }
        #expect(program.statements.count >= prompts.count && prompts.count > 5)
    }

    @Test func `a statement of several lines in a transcript is whole`() throws {
        let bench = try Workbench()
        let value = try bench.output(
            """
            sami> a = [1,
              2]
            [1, 2]
            sami> for x in a {
              y = x
            }
            sami> y  # the last
            2
            """
        ).value
        #expect(value?.asNumber == 2)
    }

    @Test func `an error in a transcript is shown at its place`() throws {
        let complaint = try Workbench().complaint("sami> x = 1\n1\nsami> x + nothing\n2")
        #expect(complaint.contains("there is no value called `nothing`"))
        #expect(complaint.contains("x + nothing"), "\(complaint)")
    }
}
