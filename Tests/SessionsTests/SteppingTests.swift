import CommandLanguage
import Commands
import Sessions
import TestSupport
import Testing

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
        #expect(tour.contains("\n# The words at which a principle acts.\nshow rollouts[0][0]\n"))
        #expect(shown(bench, "if true { tour }").last?.contains("inside a block") == true)
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
