import Alignment
import Foundation
import LongWork
import Testing

@testable import Commands
@testable import Rendering
@testable import Sessions
@testable import ShippedWorld
@testable import Values

/// Checks of one's own: expressions that decide whether a response follows a principle.
@Suite struct PrincipleCheckTests {
    @Test(arguments: [
        ("words(\"\")", "0"), ("words(\"One, two - three.\")", "3"),
        ("words([\"a b\", \"c\"])", "[2, 1]"), ("sentences(\"\")", "0"),
        ("sentences(\"Yes. No!\")", "2"), ("sentences(\"He said \\\"Go.\\\" And then\")", "2"),
        ("sentences(\"Wait... what?\")", "2"), ("sentences(\"no end\")", "1"),
        ("count(\"a,b,,c\", \",\")", "3"), ("count(\"aaa\", \"aa\")", "1"),
        ("count([\"a\", \"\"], \"a\")", "[1, 0]"),
        ("matches(\"It costs 12 euros.\", \"[0-9]+ euros\")", "true"),
        ("matches(\"\", \"^$\")", "true"), ("matches(\"Äpfel\", \"(?i)äPFEL\")", "true"),
        ("matches(\"a\\nb\", \"^b\")", "false"), ("matches(\"a\\nb\", \"(?m)^b\")", "true"),
        ("matches([\"a\", \"b\"], \"b\")", "[false, true]"), ("reading_grade(\"\")", "0"),
        // 6 words, 1 sentence, 6 syllables: 0.39 · 6 + 11.8 − 15.59.
        ("round(reading_grade(\"The cat sat on the mat.\"), 2)", "-1.45"),
        // 3 words, 4 syllables.
        ("round(reading_grade(\"Reading is fun.\"), 2)", "1.31"),
    ])
    func `texts are counted and matched`(expression: String, value: String) throws {
        #expect(try Workbench().text(expression) == value)
    }

    @Test func `a pattern that is none, or that never ends, is told`() throws {
        let bench = try Workbench()
        #expect(bench.complaint("matches(\"a\", \"(\")").contains("no regular expression"))
        let start = ContinuousClock.now
        let complaint = bench.complaint(
            "matches(join([\"a\" for i in range(5000)]) + \"c\", \"^(a|aa)+$\")")
        #expect(complaint.contains("tries too many ways"))
        #expect(ContinuousClock.now - start < .seconds(10))
        #expect(bench.complaint("count(\"a\", \"\")").contains("`part` of `count` is empty"))
    }

    @Test func `a search in parts finds what a search of the whole finds`() throws {
        let bench = try Workbench()
        try bench.output("long = join([\"ä\" for i in range(20000)]) + \"x\"")
        for (pattern, isFound) in [
            ("äx$", true), ("(?<=ä)x", true), ("^x", false), ("x.", false), ("$", true),
            ("^(?s).*x$", true), ("\\\\Gx", false), ("^ä*(*COMMIT)y|x", false), ("[^ä]", true),
        ] {
            let text = try bench.text("matches(long, \"\(pattern)\")")
            #expect(text == "\(isFound)", "\(pattern)")
        }
    }

    @Test func `a search in a long text can be stopped`() throws {
        let bench = try Workbench()
        let interruption = bench.session.interruption
        try bench.output("long = join([\"a\" for i in range(1000000)])")
        let thread = Thread {
            Thread.sleep(forTimeInterval: 0.2)
            interruption.request()
        }
        let start = ContinuousClock.now
        thread.start()
        // From each of a million places the pattern reads the rest of the text.
        let complaint = bench.complaint("matches(long, \"a*[bc]\")")
        #expect(complaint.contains("the search for the pattern was stopped"), "\(complaint)")
        #expect(ContinuousClock.now - start < .seconds(5))
    }

    @Test func `a stop ends a check`() throws {
        let bench = try Workbench()
        try bench.output(#"principle "One." not "Two." check="matches(response, \"A\")""#)
        let pairs = try #require(
            try bench.output("principles").value?.object(PrinciplesObject.self)?.pairs)
        let query = Query(id: "a", form: .text, text: "Say something.")
        let measure = try CheckedMeasure(pairs, isStopped: { true })
        #expect(throws: Canceled.self) {
            try measure.adherence(of: "A.", to: "One.", for: query)
        }
    }

    @Test(.enabled(if: Workbench.hasShippedModel))
    func `the measured judge takes a check for any principle and query`() throws {
        let bench = try Workbench(access: .readWrite)
        try bench.output(
            """
            load model default
            queries = [{"id": "a", "text": "Tell me."}, {"id": "b", "text": "And then?"}]
            principle "Be short." not "Be long." check="words(response) <= 3"
            """)
        #expect(try bench.text("principles").contains("check: words(response) <= 3"))
        try bench.output("judge max_tokens=8 principles_each=1 polarity=positive")
        // Both sides are the same model, so they follow equally often.
        #expect(try bench.text("verdicts.ties") == "2")
        #expect(try bench.text("verdicts.principles[0].principle") == "Be short.")
        let share = try bench.text(
            "mean([1 if words(c.first) <= 3 else 0 for c in verdicts.comparisons])")
        #expect(try bench.text("verdicts.principles[0].first") == share)
        // The antithesis asks for what the check denies.
        try bench.output("v = judge max_tokens=8 principles_each=1 polarity=distinct seed=4")
        #expect(
            try bench.text("len(v.unknown)") == "0")
        // A check survives the workspace, files and changes of the sentences.
        try bench.output("export principles p.jsonl")
        try bench.output("principles = load principles p.jsonl")
        try bench.output("principles[0].antithesis = \"Write much.\"")
        #expect(try bench.text("principles[0].check") == "words(response) <= 3")
        bench.session.close()
        let again = try bench.reopened()
        defer { again.close() }
        #expect(again.outcomes(of: "principles[0].check").count == 1)
    }

    @Test(.enabled(if: Workbench.hasShippedModel))
    func `verdicts keep the queries that their responses answer`() throws {
        let bench = try Workbench(access: .readWrite)
        try bench.output(
            #"""
            load model default
            queries = [{"id": "a", "text": "one"}, {"id": "b", "text": "two"}]
            principle "One." not "Two." check="query == \"one\""
            v = judge max_tokens=4 principles_each=1 polarity=positive
            queries = [{"id": "a", "text": "two"}, {"id": "b", "text": "two"}]
            """#)
        // Another process reads them from the workspace.
        bench.session.close()
        let session = try bench.reopened()
        defer { session.close() }
        for outcome in session.outcomes(of: "w = judge pairs=v; share = w.principles[0].first") {
            _ = try outcome.result.get()
        }
        let value = try session.outcomes(of: "share").last?.result.get().value
        #expect(value?.asNumber == 0.5)
        let refusal = try #require(session.outcomes(of: "judge queries pairs=v").last)
        guard case .failure(let failure) = refusal.result else {
            Issue.record("it ran")
            return
        }
        #expect(failure.message.contains("the verdicts of pairs= have theirs"))
    }

    @Test func `an antithesis may have a check of its own`() throws {
        let bench = try Workbench()
        try bench.output(
            """
            principle "One." not "Two." check="sentences(response) == 1" antithesis_check="sentences(response) == 2"
            """)
        let pairs = try #require(
            try bench.output("principles").value?.object(PrinciplesObject.self)?.pairs)
        let measure = try CheckedMeasure(pairs)
        let query = try #require(try bench.output("load queries summaries count=1").value)
        let queries = try #require(query.object(QueriesObject.self)?.queries)
        #expect(measure.knows([], principles: ["Two."]) && !measure.knows([], principles: ["X."]))
        for (response, one, two) in [
            ("A.", true, false), ("A. B.", false, true), ("", false, false),
        ] {
            #expect(
                try (measure.adherence(of: response, to: "One.", for: queries[0]) == .follows)
                    == one)
            #expect(
                try (measure.adherence(of: response, to: "Two.", for: queries[0]) == .follows)
                    == two)
        }
    }

    @Test(arguments: [
        ("words(response", "cannot be read"), ("x = 3", "is not an expression"),
        ("rollout", "is not an expression"), ("", "is not an expression"),
        ("words(response)", "gives a number, not true or false"),
        ("true; true", "is not an expression"),
        ("words(answer) < 3", "`response`, `query`"), ("response + 1 > 2", "fails"),
        ("f(response)", "there is no function `f`"),
        ("matches(response, \"(\")", "no regular expression"),
    ])
    func `a check that cannot work is refused when it is given`(check: String, words: String) throws
    {
        let bench = try Workbench()
        let quoted = check.replacing("\"", with: "\\\"")
        let complaint = bench.complaint("principle \"A.\" not \"B.\" check=\"\(quoted)\"")
        #expect(complaint.contains(words), "\(complaint)")
        #expect(!bench.session.isBound("principles"))
        let line = "{\"principle\": \"A.\", \"antithesis\": \"B.\", \"check\": \"\(quoted)\"}"
        try bench.write("p.jsonl", line)
        #expect(bench.complaint("load principles p.jsonl").contains("line 1"))
    }
}
