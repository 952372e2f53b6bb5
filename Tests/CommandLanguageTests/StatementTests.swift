import Testing

@testable import CommandLanguage

@Suite struct StatementTests {
    @Test(
        "the table of the verb says how operands and values are read",
        arguments: [
            ("load model default", "{load model path:'default}"),
            ("load model \"default\"", "{load model path:<default>}"),
            (
                "load model ~/models/x-1 dtype=bfloat16",
                "{load model path:<~/models/x-1> dtype='bfloat16}"
            ),
            ("load model default as=small", "{load model path:'default as=@small}"),
            (
                "load queries ../x/y.jsonl split=test",
                "{load queries path:<../x/y.jsonl> split='test}"
            ),
            (
                "load queries summaries split=test count=2*8",
                "{load queries path:'summaries split='test count=(* 2 8)}"
            ),
            (
                "load queries split=test 'my file.jsonl'",
                "{load queries path:<my file.jsonl> split='test}"
            ),
            ("load queries a#b.jsonl # comment", "{load queries path:<a#b.jsonl>}"),
            ("load queries (folder + \"/x\")", "{load queries path:(+ folder \"/x\")}"),
            ("load queries /a;ls", "{load queries path:</a>} | {ls}"),
            ("rollout", "{rollout}"),
            (
                "rollout queries[0:8] temperature=0.7",
                "{rollout queries:queries[0:8] temperature=0.7}"
            ),
            ("rollout temperature = 0.7 queries", "{rollout queries:queries temperature=0.7}"),
            (
                "mine = rollout queries[0:8] top_p=x.p",
                "mine := {rollout queries:queries[0:8] top_p=x.p}"
            ),
            ("score normalize=mean per_token=true", "{score normalize='mean per_token=true}"),
            ("score normalize=\"sum\"", "{score normalize='sum}"),
            (
                "update optimizer=(best) learning_rate=1e-4 * 2",
                "{update optimizer=best learning_rate=(* 0.0001 2)}"
            ),
            ("train epochs=2", "{train epochs=2}"),
            ("train tokenizer", "{train tokenizer}"),
            ("generate \"Once upon\"", "{generate prompt:\"Once upon\"}"),
            ("generate queries[0].text", "{generate prompt:queries[0].text}"),
            ("generate(\"x\")", "{generate prompt:\"x\"}"),
            ("compare a -b", "{compare first:a second:(- b)}"),
            ("compare a - b c", "{compare first:(- a b) second:c}"),
            ("compare a-b c", "{compare first:(- a b) second:c}"),
            ("compare a [1, 2]", "{compare first:a second:[1 2]}"),
            ("compare a[1, 2] b", "{compare first:a[1, 2] second:b}"),
            ("export logprobs[0] out.npy", "{export value:logprobs[0] file:<out.npy>}"),
            ("export logprobs /tmp/out.npy", "{export value:logprobs file:</tmp/out.npy>}"),
            ("export a / b ../out.npy", "{export value:(/ a b) file:<../out.npy>}"),
            ("compare a /b c", "{compare first:(/ a b) second:c}"),
            ("export a + b \"o u t.npy\";", "{export value:(+ a b) file:<o u t.npy>};"),
            ("rm a b c", "{rm names:@a names:@b names:@c}"),
            ("judge judge=measured", "{judge judge='measured}"),
            (
                "judge judge=http://localhost:8080/v1#x",
                "{judge judge=<http://localhost:8080/v1#x>}"
            ),
            ("judge writer=model memory=600MB", "{judge writer='model memory='600MB}"),
            ("judge writer=model.x", "{judge writer=model.x}"),
            ("judge writer=other", "{judge writer=other}"),
            ("iterate 3", "{iterate n:3}"),
            ("help load model", "{help topic:'load topic:'model}"),
            ("show a > b", "{show value:(> a b)}"),
            ("show (a\n + b)", "{show value:(+ a b)}"),
            ("rollout \\\n  temperature=1", "{rollout temperature=1}"),
        ])
    func commands(source: String, expected: String) {
        #expect(tree(source) == expected)
    }

    @Test(
        "statements end at a line end or `;`, and a `;` at the line's end hides that line's output",
        arguments: [
            ("a\nb", "a | b"),
            ("a; b", "a | b"),
            ("a; b;", "a; | b;"),
            ("a;\nb", "a; | b"),
            ("a; # quiet\nb", "a; | b"),
            ("a\n\n# only a comment\n;;\nb", "a | b"),
            ("x = 1;y = 2", "x := 1 | y := 2"),
            ("time rollout", "time {rollout}"),
            ("time x = score;", "time x := {score};"),
            ("a\r\nb\r\n", "a | b"),
            ("\u{FEFF}a", "a"),
            ("#!/usr/bin/env sami\nls", "{ls}"),
            ("", ""), ("  \n # nothing\n", ""), (";", ""),
            ("x = [1,\n 2]\ny = 3", "x := [1 2] | y := 3"),
        ])
    func blocks(source: String, expected: String) {
        #expect(tree(source) == expected)
    }

    @Test("a statement's source alone reads as the same statement")
    func sourceStandsAlone() {
        let block = "  a = rollout queries[0:8] top_p=.9 ; time b = [1,\n 2] # x\nexport b out.npy;"
        for statement in grammar.parse(block).statements {
            let again = grammar.parse(statement.source).statements
            #expect(again.count == 1)
            #expect(again.first?.source == statement.source)
            #expect(again.first?.target?.name == statement.target?.name)
        }
    }

    @Test(
        "an open bracket, quote or line asks for more",
        arguments: [
            "x = [1,", "f(", "\"abc", "x[0", "show {\"a\": 1", "x = 1 + \\", "rollout 'a\nb",
            "load queries \"a",
        ])
    func incomplete(source: String) {
        guard case .incomplete = grammar.parse(source).completeness else {
            Issue.record("\(source) is \(grammar.parse(source).completeness)")
            return
        }
    }

    @Test("a finished block is complete, and a wrong one is invalid however it goes on")
    func completeAndInvalid() {
        for source in ["", "x = 1", "x = [1,\n2]", "rollout", "# [", "\"#\"", "ls; ls"] {
            #expect(grammar.parse(source).completeness == .complete, "\(source)")
        }
        for source in [
            "x = )", "1 +", "x = [1, )", "score = 3\ny = [1", "rollout queries temprature=1",
        ] {
            #expect(grammar.parse(source).completeness == .invalid, "\(source)")
        }
    }

    @Test("every wrong line of a block is reported, and right lines between them are read")
    func recovery() {
        let program = grammar.parse("x = )\ny = 2\nscore = 1\nz = [1 2]\nls")
        #expect(
            program.diagnostics.map { SourcePosition(of: $0.span.lower, in: program.source).line }
                == [1, 3, 4])
        #expect(program.statements.map(\.source) == ["y = 2", "ls"])
        #expect(
            grammar.parse(String(repeating: ")\n", count: 1000)).diagnostics.count
                == Program.diagnosticLimit)
    }
}
