import CommandLanguage
import Foundation
import Testing
import Workspaces

@testable import Commands
@testable import Sessions
@testable import Values

/// Blocks, functions and comprehensions in a session: values, journal, undo and replay.
@Suite struct LanguageTests {
    /// Runs the journal of a closed session again and compares every value.
    private func replay(_ bench: Workbench) throws -> (isWell: Bool, summary: String) {
        var options = ReplayOptions()
        options.check = true
        var configuration = Session.Configuration()
        configuration.directory = bench.folder
        return try Session.replay("test.samiws", options, configuration: configuration)
    }

    @Test(arguments: [
        ("f(x, y) = x * y + 1; f(2, y=3)", "7"),
        ("fact(n) = 1 if n < 2 else n * fact(n - 1); fact(10)", "3628800"),
        ("twice(f, x) = f(f(x)); inc(x) = x + 1; twice(inc, 3)", "5"),
        ("k = 2; f(x) = k * x; k = 3; f(2)", "6"),
        ("[i * i for i in range(5) if i % 2 == 0]", "[0, 4, 16]"),
        ("[a + b for a in \"xy\" for b in [\"1\", \"2\"]]", #"["x1", "x2", "y1", "y2"]"#),
        ("[v for k, v in items({\"a\": 1, \"b\": 2})]", "[1, 2]"),
        ("i = 7; [i for i in range(2)]; i", "7"),
        ("1 if true else 1 / 0", "1"),
        ("total = 0; for i in range(5) { total = total + i }; total", "10"),
        ("s = \"\"; for k in {\"a\": 1, \"b\": 2} { s = s + k }; s", "\"ab\""),
        ("s = 0; for r in tensor([[1, 2], [3, 4]]) { s = s + r[1] }; s", "6"),
        ("x = 3; if x > 2 { y = \"big\" } else { y = \"small\" }; y", "\"big\""),
        ("x = 1; if x > 2 { y = 1 } else if x > 0 { y = 2 } else { y = 3 }; y", "2"),
        ("for x in [1, 2] { 5 }; x", "2"),
        ("a, b = [1, [2, 3]]; b", "[2, 3]"),
        ("3 in [1, 2, 3]", "true"), ("\"bc\" in \"abc\"", "true"), ("\"z\" in {\"a\": 1}", "false"),
        ("4 not in tensor([1, 2])", "true"),
        ("t = tensor([1, 2, 3, 4]); sum(t[t > 2])", "7"),
        ("t = tensor([1, 2, 3, 4]); sum(t[(t > 1) and not (t > 3)])", "5"),
        ("t = tensor([[1, 2], [3, 4]]); len(t[t > 1])", "3"),
        ("t = tensor([[1, 2], [3, 4]]); sum(t[t[:, 0] > 2])", "7"),
        ("x = [\"a\", \"b\", \"ab\"]; x[contains(x, \"b\")]", #"["b", "ab"]"#),
        ("where(tensor([1, 5, 3]) > 2)", "[1, 2]"),
        ("sum(where(tensor([1, 0]) > 0, [10, 20], [3, 4]))", "14"),
        ("argsort([3, 1, 2], reverse=true)", "[0, 2, 1]"),
        ("topk([3, 1, 2], 2)[1].index", "2"), ("topk([3, 1, 2], 1, reverse=true)[0].value", "1"),
        ("sort([[2, \"b\"], [1, \"z\"], [1, \"a\"]])", #"[[1, "a"], [1, "z"], [2, "b"]]"#),
        ("sort_by([\"bbb\", \"a\", \"cc\"], [3, 1, 2])", #"["a", "cc", "bbb"]"#),
        ("sort_by([{\"a\": 2}, {\"a\": 1}], \"a\")[0].a", "1"),
        ("count_by([\"a\", \"b\", \"b\"])[0].key", "\"b\""),
        ("group_by([[1, 5], [2, 6], [1, 7]], 0)[0].items[1]", "[1, 7]"),
        ("lower([\"A\", \"B\"])", #"["a", "b"]"#), ("replace(\"a-b\", \"-\", \"+\")", "\"a+b\""),
        ("any([len(x) > 1 for x in [\"a\", \"bb\"]])", "true"),
    ])
    func `an expression has its value`(source: String, expected: String) throws {
        let bench = try Workbench()
        let value = try #require(try bench.output(source).value)
        let wanted = try #require(try bench.output(expected).value)
        #expect(value.equals(wanted), "\(value.json)")
    }

    @Test(arguments: [
        ("for x in 3 { x }", "what follows `in` must be a list, not a number"),
        ("if 3 { 1 }", "true or false was expected, not a number"),
        (
            "h(x) = h(x + 1); h(1)",
            "function calls nest more than 100 deep: a function that calls itself needs an end"
        ),
        (
            "h(x) = " + String(repeating: "[", count: 180) + "h(x)"
                + String(repeating: "]", count: 180) + "; h(1)",
            "functions and brackets nest more than 1000 deep; a function may call itself"
        ),
        ("x = []; for i in range(100) { x = [x] }", "lists nest more than 60 deep"),
        ("k(x) = 1 / x; k(0)", "in `k`: this divides by zero"),
        ("k(x) = x; k(1, 2)", "`k` takes at most 1 value"),
        ("k(x) = x; k()", "`k` needs `x`"), ("k(x) = x; k(y=1)", "`k` has no key `y`"),
        ("k = 3; k(1)", "`k` is a number; only a function can be called"),
        ("a, b = [1, 2, 3]", "2 names need 2 values, and there are 3"),
        ("[x for x, y in [[1, 2], [3]]]", "2 names need 2 values, and there are 1"),
        (
            "t = tensor([1, 2]); t[tensor([0, 2])]",
            "a tensor as an index is a mask of 0 and 1, and this one holds 2"
        ),
        (
            "t = tensor([1, 2]); t[tensor([0, 1, 1])]",
            "a mask of shape (3,) does not fit the tensor, which has 2 items"
        ),
        ("m, l, k = train", "`train` makes `model`, `log`, and here are 3 names for it"),
        ("for x in [1] { undo }", "`undo` cannot stand inside a block"),
        ("sofmax([1])", "there is no function `sofmax`"),
        ("x = 1; sofmax(x)", "there is no function `sofmax`"),
        ("sort([1, \"a\"])", "`x` of `sort` must be all numbers or all texts, not a list of both"),
    ])
    func `a fault has a sentence`(source: String, message: String) throws {
        let bench = try Workbench()
        #expect(
            bench.complaint(source).hasPrefix("error: \(message)\n"), "\(bench.complaint(source))")
    }

    @Test func `nothing runs if a function is unknown`() throws {
        let bench = try Workbench()
        _ = bench.complaint("x = 1\ny = sofmax(x)")
        #expect(!bench.session.isBound("x"))
    }

    @Test func `a block is one statement of the journal`() throws {
        let bench = try Workbench(access: .readWrite, seed: 3)
        try bench.output("x = 0; y = 1")
        try bench.output(
            """
            for i in range(3) {
              x = x + i
              new model layers=1 width=32 heads=2 context=64;
            }
            """)
        let history = bench.session.workspace.history
        #expect(history.map(\.block) == [nil, nil] + Array(repeating: 3, count: history.count - 2))
        #expect(history.filter(\.isBlock).map(\.status) == [.committed])
        // Each model drew random numbers of its own.
        let digests = history.flatMap(\.bound).filter { $0.kind == "model" }.compactMap(\.digest)
        #expect(Set(digests).count == 3)
        try bench.output("undo")
        #expect(bench.session.boundNames.map(\.name) == ["x", "y"])
        #expect(try bench.output("x").value?.asNumber == 0)
        try bench.output("redo")
        #expect(try bench.output("x").value?.asNumber == 3)
        bench.session.close()
        let replay = try self.replay(bench)
        #expect(replay.isWell, "\(replay)")
        #expect(replay.summary.contains("the same to the last bit"), "\(replay)")
    }

    @Test func `a failed block keeps what its statements did, and says where it failed`() throws {
        let bench = try Workbench(access: .readWrite)
        let text = bench.complaint("for i in [2, 1, 0] {\n  y = 2 / i\n}")
        #expect(text.contains("this divides by zero") && text.contains("y = 2 / i"), "\(text)")
        #expect(try bench.output("y").value?.asNumber == 2)
        bench.session.close()
        // A replay cannot run it again; it copies the values.
        let replay = try self.replay(bench)
        #expect(replay.isWell, "\(replay)")
    }

    @Test func `an interrupted block keeps what its statements did`() throws {
        let bench = try Workbench(access: .readWrite)
        var count = 0
        var failure: Failure?
        bench.session.evaluate(Session.parse("for i in range(1000) { x = i }")) { event in
            if case .finished(let outcome) = event {
                count += 1
                if count == 10 { bench.session.interruption.request() }
                if case .failure(let found) = outcome.result { failure = found }
            }
        }
        #expect(failure?.kind == .interrupted)
        #expect(failure?.message.hasPrefix("the block was stopped after 10 statements") == true)
        #expect(try bench.output("x").value?.asNumber == 9)
        try bench.output("undo")
        #expect(!bench.session.isBound("x"))
    }

    @Test func `expressions of a loop do not write a journal line each`() throws {
        let bench = try Workbench(access: .readWrite)
        try bench.output("x = 0; for i in range(1000) { x = x + 1 }")
        #expect(bench.session.workspace.history.count == 3)
        #expect(try bench.output("x").value?.asNumber == 1000)
    }

    @Test func `each turn of a loop draws other random numbers, and a replay the same`() throws {
        let bench = try Workbench(access: .readWrite)
        try bench.output("a = []; for i in range(3) { a = a + [normal(2)] }")
        let first = try #require(try bench.output("a").value)
        #expect(try bench.output("len(unique(a))").value?.asNumber == 3)
        bench.session.close()
        let replay = try self.replay(bench)
        #expect(replay.isWell, "\(replay) \(first.json)")
    }

    @Test func `a function survives the end of its session`() throws {
        let bench = try Workbench(access: .readWrite)
        try bench.output("half(x) = x / 2 # by two")
        bench.session.close()
        let again = try bench.reopened()
        defer { again.close() }
        let values = try again.outcomes(of: "half(5); half").map { try $0.result.get() }
        #expect(values[0].value?.asNumber == 2.5)
        #expect(values[1].text.plain == "function: (x) = x / 2")
    }

    @Test func `an endless expression can be stopped`() throws {
        let bench = try Workbench()
        // Again and again: a request before the statement has begun has no effect.
        let person = Thread { [interruption = bench.session.interruption] in
            while !Thread.current.isCancelled {
                Thread.sleep(forTimeInterval: 0.2)
                interruption.request()
            }
        }
        person.start()
        defer { person.cancel() }
        let text = bench.complaint("[1 for a in range(4000) for b in range(4000)]")
        #expect(text.contains("the expression was stopped"), "\(text)")
    }
}
