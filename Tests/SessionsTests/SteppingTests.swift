import CommandLanguage
import Sessions
import TestSupport
import Testing

@testable import Commands

/// Scripts that wait before their statements, as a host sees them.
@Suite struct SteppingTests {
    private func shown(_ bench: Workbench, _ source: String) -> [String] {
        var found: [String] = []
        bench.session.evaluate(Session.parse(source)) { event in
            switch event {
            case .started(let statement):
                let marks = (statement.isOfScript ? "s" : "") + (statement.isStep ? "p" : "")
                found.append("\(marks)> \(statement.source)")
            case .display(let display): found.append(display.text().plain)
            case .finished(let outcome):
                if case .failure(let failure) = outcome.result { found.append(failure.message) }
            case .progress: break
            }
        }
        return found
    }

    @Test func `each statement of a lesson waits, and another one can be typed first`() throws {
        let bench = try Workbench()
        try bench.write("s.sami", "# One.\nx = 1\nif x > 0 { y = x + 1 }\nx + y\nx = 5")
        var answers: [StepAnswer] = [.run, .statement("x = 10"), .run, .run, .leave]
        bench.session.askStep = { answers.removeFirst() }
        #expect(
            shown(bench, "source s.sami pause=true; x") == [
                "> source s.sami pause=true;", "sp> # One.\nx = 1",
                "sp> if x > 0 { y = x + 1 }", "> x = 10", "> y = x + 1", "sp> x + y", "21",
                "sp> x = 5", "left before statement 4 of 4", "> x", "10",
            ])
        #expect(answers.isEmpty)
        // The statements are journaled like those of any script.
        #expect(shown(bench, "history").last?.contains("x = 10") == true)
    }

    @Test func `where nobody can be asked a lesson runs through, and is marked to be shown`() throws
    {
        let bench = try Workbench()
        try bench.write("s.sami", "x = 1\nsource t.sami")
        try bench.write("t.sami", "x + 1")
        #expect(
            shown(bench, "source s.sami pause=true") == [
                "> source s.sami pause=true", "sp> x = 1", "sp> source t.sami", "s> x + 1", "2",
            ])
        let tour = try #require(shown(bench, "tour").last)
        #expect(tour.contains("of the first summary?\nshow rollouts[0][0]\n#> "), "\(tour)")
        #expect(shown(bench, "if true { tour }").last?.contains("inside a block") == true)
    }

    @Test func `an explanation comes after the output`() throws {
        let bench = try Workbench()
        try bench.write(
            "s.sami", "# One.\nx = 6\nx\n#> This is x.\n#>  No more.\n# Two.\ny = 2\n\n#> End.\n")
        #expect(
            shown(bench, "source s.sami") == [
                "> source s.sami", "s> # One.\nx = 6", "s> x", "6", "> This is x. No more.",
                "s> # Two.\ny = 2", "> End.",
            ])
    }

    @Test func `the tour goes on where the workspace stands`() throws {
        let bench = try Workbench()
        #expect(Tour.chapters.count == 5)
        var answers: [StepAnswer] = [.run, .run, .leave]
        bench.session.askStep = { answers.removeFirst() }
        let first = shown(bench, "tour")
        #expect(first.contains("left before statement 3 of 7"), "\(first)")
        #expect(first.last == "tour goes on there")
        answers = [.leave]
        // `show` is in no journal, so the step after the last assignment comes again.
        let second = shown(bench, "x = 1; tour")
        #expect(second.contains("sp> show S"), "\(second)")
        answers = [.leave]
        let third = shown(bench, "tour chapter=2")
        #expect(third.contains { $0.hasPrefix("sp> # 2. Tokens and prompts") }, "\(third)")
        #expect(shown(bench, "tour chapter=6").last?.contains("at most 5") == true)
        let all = Tour.chapters.flatMap { $0.statements.map(\.source) }
        #expect(Tour.place(after: all) == Tour.Place(chapter: 5, statement: 0))
        #expect(Tour.place(after: ["score"] + all + all.prefix(1)).chapter == 0)
        #expect(Tour.place(after: ["load model default"]) == Tour.Place(chapter: 0, statement: 0))
    }

    @Test func `a failure ends a lesson and is that of its source`() throws {
        let bench = try Workbench()
        try bench.write("s.sami", "missing\nx = 1")
        bench.session.askStep = { .run }
        #expect(
            shown(bench, "source s.sami pause=true") == [
                "> source s.sami pause=true", "sp> missing", "there is no value called `missing`",
            ])
    }
}
