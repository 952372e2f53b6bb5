import Testing

@testable import Commands
@testable import Sessions
@testable import Workspaces

/// Scripts that go on where an earlier run stopped.
@Suite struct GoingOnTests {
    static let script = """
        rows = 16
        load model default;
        load principles trained about=summaries;
        table = []
        for s in [1, 2] {
          seed (s)
          total = s * rows
          load queries summaries count=(rows) first=(100 * s);
          compose principles_each=2;
          rollout;
          policy, log = train steps=2 accumulate=4 learning_rate=1e-4;
          total = total + log.loss[-1]
          if s == 1 { first = policy } else { second = policy }
          table = table + [{"s": s, "total": total, "draw": uniform([1])[0]}]
          show log
        }
        seed 4
        other = generate "Principles" max_tokens=6
        table
        """

    static func digests(_ session: Session) -> [String: String?] {
        Dictionary(uniqueKeysWithValues: session.workspace.names.map { ($0.name, $0.digest) })
    }

    /// Runs the script until the statement with this number has begun, or to its end, and says how
    /// many statements ran.
    func run(_ session: Session, _ script: String, stoppingAt limit: Int = .max) -> (Int, Bool) {
        var count = 0
        let isWell = session.evaluate(Session.parse(script)) { event in
            guard case .started = event else { return }
            count += 1
            if count == limit { session.interruption.request() }
        }
        return (count, isWell)
    }

    @Test(.enabled(if: Workbench.hasShippedModel, "needs models/tiny"))
    func `a script that is stopped anywhere ends as if it had not been stopped`() throws {
        let whole = try Workbench(seed: 5)
        let (count, isWell) = run(whole.session, Self.script)
        #expect(isWell && count > 20)
        let bench = try Workbench(access: .readWrite, seed: 5)
        var session = bench.session
        var (runs, isDone) = (0, false)
        while !isDone, runs < 30 {
            if runs > 0 {
                session.close()
                session = try bench.reopened()
                session.goOnWithEarlierRun()
            }
            runs += 1
            // A command that is stopped before it did anything runs again, so each run is given a
            // little more room.
            isDone = run(session, Self.script, stoppingAt: 3 + 2 * runs).1
        }
        #expect(isDone && runs > 2)
        #expect(Self.digests(session) == Self.digests(whole.session), "after \(runs) runs")
        // Undo takes the block back as one.
        _ = try session.workspace.undo()
        _ = try session.workspace.undo()
        #expect(session.workspace.binding("first") == nil)
        session.close()
    }

    @Test(.enabled(if: Workbench.hasShippedModel, "needs models/tiny"))
    func `a replay of a run in parts equals it`() throws {
        let bench = try Workbench(access: .readWrite, seed: 5)
        _ = run(bench.session, Self.script, stoppingAt: 11)
        bench.session.close()
        let session = try bench.reopened()
        session.goOnWithEarlierRun()
        #expect(run(session, Self.script).1)
        session.close()
        let again = try Workbench()
        let text = try again.text("replay \"\(bench.folder)/test.samiws\" check=true")
        #expect(text.contains("the same to the last bit"), "\(text)")
    }

    @Test func `nothing is repeated, and a script without an end begins nothing anew`() throws {
        let bench = try Workbench(access: .readWrite)
        let script = "x = uniform([3])\ny = x + 1\nx\n"
        bench.run(script)
        bench.session.close()
        let session = try bench.reopened()
        session.goOnWithEarlierRun()
        let before = session.workspace.lastSequence
        let outcomes = session.outcomes(of: script)
        #expect(session.workspace.lastSequence == before)
        // What leaves nothing in the journal and stands at the end is shown.
        #expect(outcomes.map(\.statement) == ["x"])
        session.close()
    }

    @Test func `a script that has changed is refused with the place`() throws {
        let bench = try Workbench(access: .readWrite)
        bench.run("x = 1\ny = 2")
        bench.session.goOnWithEarlierRun()
        let outcome = try #require(bench.session.outcomes(of: "x = 1\ny = 3\nz = 4").last)
        guard case .failure(let failure) = outcome.result else {
            Issue.record("it ran")
            return
        }
        #expect(
            failure.rendered() == """
                error: this workspace went on with statement 2, `y = 2`, so the script cannot go on in it
                  y = 3
                  ^~~~~
                  undo what was typed since, or run the script in a new workspace
                """)
        #expect(bench.session.workspace.binding("z") == nil)
    }

    @Test func `a block that failed goes on at the statement that failed`() throws {
        let bench = try Workbench(access: .readWrite)
        let script = """
            total = 0
            for i in [1, 2, 3] {
              seed (i)
              drawn = uniform([2])
              mine = load table numbers.csv;
              total = total + i + mine[0].a + drawn[0]
            }
            """
        let whole = try Workbench()
        try whole.write("numbers.csv", "a\n1\n")
        try whole.output(script)
        // The file is missing at first.
        #expect(bench.complaint(script).contains("numbers.csv"))
        try bench.write("numbers.csv", "a\n1\n")
        bench.session.goOnWithEarlierRun()
        try bench.output(script)
        #expect(
            try bench.output("total").value?.asNumber == whole.output("total").value?.asNumber)
        #expect(bench.session.workspace.history.count(where: \.isBlock) == 1)
    }

    @Test func `parameters of the earlier run are not bound again`() throws {
        let bench = try Workbench(access: .readWrite)
        let script = "n = 1\nm = n + 1\nk = m + n\n"
        try bench.session.setParameter("n", "5")
        _ = run(bench.session, script, stoppingAt: 1)
        bench.session.close()
        let session = try bench.reopened()
        session.goOnWithEarlierRun()
        try session.setParameter("n", "5")
        #expect(run(session, script).1)
        #expect(session.workspace.history.count == 3)
        #expect(session.earlierRunIsWhole == nil)
        // Another value is refused, and binds nothing.
        session.goOnWithEarlierRun()
        try session.setParameter("n", "6")
        let outcome = try #require(session.outcomes(of: script).last)
        #expect(throws: Failure.self) { try outcome.result.get() }
        #expect(session.workspace.history.count == 3)
        session.close()
    }
}
