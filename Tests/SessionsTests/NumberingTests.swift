import Testing
import Workspaces

@testable import Commands
@testable import Sessions

/// The numbers under which statements draw: those of an uninterrupted run, whatever came between.
@Suite struct NumberingTests {
    private static let model = "new model layers=1 width=32 context=64 vocabulary=300"

    /// Draws in expressions and in commands, outside and inside of a block, without seeds of its
    /// own.
    private static let script = """
        a = uniform([2])
        first = load table one.csv;
        b = uniform([2])
        total = 0
        for i in [1, 2] {
          c = uniform([2])
          m = \(model);
          if i == 1 { d = load table one.csv; } else { d = load table two.csv; }
          n = \(model);
          total = total + c[0]
        }
        uniform([2])
        z = uniform([2]) + _
        last = \(model);
        """

    private func write(_ bench: Workbench, _ names: [String] = ["one", "two"]) throws {
        for name in names { try bench.write(name + ".csv", "a\n1\n") }
    }

    /// Another process that goes on with the script.
    private func goOn(_ bench: Workbench, _ last: Session, _ script: String) throws -> Session {
        last.close()
        let session = try bench.reopened()
        session.goOnWithEarlierRun()
        _ = session.outcomes(of: script)
        return session
    }

    private func expectSame(
        _ session: Session, as script: String, in bench: Workbench,
        _ location: SourceLocation = #_sourceLocation
    ) throws {
        let whole = try Workbench(seed: 5)
        try write(whole)
        try whole.output(script)
        #expect(
            GoingOnTests.digests(session) == GoingOnTests.digests(whole.session),
            sourceLocation: location)
        session.close()
        expectReplay(bench, location)
    }

    private func expectReplay(
        _ bench: Workbench, _ location: SourceLocation = #_sourceLocation
    ) {
        var options = ReplayOptions()
        options.check = true
        var configuration = Session.Configuration()
        configuration.directory = bench.folder
        let result = Result {
            try Session.replay("test.samiws", options, configuration: configuration).summary
        }
        let isExact = (try? result.get().hasSuffix("the same to the last bit")) ?? false
        #expect(isExact, "\(result)", sourceLocation: location)
    }

    @Test func `statements that failed do not change the random numbers of later ones`() throws {
        let bench = try Workbench(access: .readWrite, seed: 5)
        #expect(bench.complaint(Self.script).contains("one.csv"))
        try write(bench, ["one"])
        // It fails again, in the block.
        var session = try goOn(bench, bench.session, Self.script)
        #expect(session.workspace.binding("n") != nil && session.workspace.binding("z") == nil)
        try write(bench)
        session = try goOn(bench, session, Self.script)
        #expect(session.shift == 2)
        try expectSame(session, as: Self.script, in: bench)
    }

    @Test func `failures and undone statements of a person in between do not either`() throws {
        let bench = try Workbench(access: .readWrite, seed: 5)
        let between = "load queries nowhere.jsonl"
        bench.run(Self.script)
        bench.run("load queries nowhere.jsonl; y = 1; undo", keepGoing: true)
        try write(bench, ["one"])
        var session = try goOn(bench, bench.session, Self.script)
        _ = session.outcomes(of: between)
        _ = session.outcomes(of: "y = 1; undo")
        _ = session.outcomes(of: between)
        try write(bench)
        session = try goOn(bench, session, Self.script)
        #expect(session.workspace.history.count(where: \.isBlock) == 1)
        try expectSame(session, as: Self.script, in: bench)
    }

    @Test func `a statement that was undone runs again with the same random numbers`() throws {
        let script = "a = uniform([2])\nb = uniform([2])\nc = uniform([2])"
        let bench = try Workbench(access: .readWrite, seed: 5)
        try bench.output("a = uniform([2]); b = uniform([2]); undo")
        let session = try goOn(bench, bench.session, script)
        try expectSame(session, as: script, in: bench)
    }

    @Test func `stops between expressions of a block do not change later random numbers`() throws {
        let script = """
            for i in [1, 2] {
              a = uniform([2])
              b = a + 1
              c = b + 1
              m = \(Self.model);
              d = uniform([2])
              e = d + a
            }
            z = uniform([2])
            """
        for limit in 2...4 {
            let bench = try Workbench(access: .readWrite, seed: 5)
            var (session, runs, isDone) = (bench.session, 0, false)
            while !isDone, runs < 40 {
                if runs > 0 {
                    session.close()
                    session = try bench.reopened()
                    session.goOnWithEarlierRun()
                }
                runs += 1
                isDone = GoingOnTests().run(session, script, stoppingAt: limit).1
            }
            #expect(isDone && runs > 2, "\(runs) runs")
            try expectSame(session, as: script, in: bench)
        }
    }

    @Test func `an expression whose process was killed runs again`() throws {
        let script = "a = uniform([2])\nb = uniform([2])\nc = uniform([2])"
        let bench = try Workbench(access: .readWrite, seed: 5)
        try bench.output("a = uniform([2])")
        bench.session.close()
        let workspace = try Workspace.open(bench.folder + "/test.samiws")
        _ = try workspace.begin(source: "b = uniform([2])", seed: "5")
        workspace.close()
        let session = try bench.reopened()
        session.goOnWithEarlierRun()
        for outcome in session.outcomes(of: script) { _ = try outcome.result.get() }
        try expectSame(session, as: script, in: bench)
    }

    @Test func `a statement that reads the last result draws under its own number`() throws {
        let bench = try Workbench(access: .readWrite, seed: 5)
        try bench.output("1 + 1; y = uniform([2]) + _; z = uniform([2])")
        bench.session.close()
        expectReplay(bench)
    }

    @Test func `seed says the number of the next statement`() throws {
        let whole = try Workbench(seed: 7)
        try whole.output("x = 1; y = 1; a = uniform([2]); b = uniform([2])")
        let bench = try Workbench(access: .readWrite)
        #expect(
            try bench.text("seed 7 statement=3")
                == "seed 7, and the next statement draws as number 3")
        try bench.output("a = uniform([2])")
        // The next session goes on with it.
        bench.session.close()
        let session = try bench.reopened()
        _ = session.outcomes(of: "b = uniform([2])")
        for name in ["a", "b"] {
            #expect(
                session.workspace.binding(name)?.digest
                    == whole.session.workspace.binding(name)?.digest)
        }
        session.close()
        #expect(
            try Workbench().complaint("seed statement=0").contains("at least 1"))
        #expect(
            try Workbench().complaint("for i in [1] { seed 1 statement=2 }").contains(
                "`statement=` cannot stand inside a block"))
    }
}
