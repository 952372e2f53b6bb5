import Testing

@testable import CommandLanguage

@Suite struct ExpressionTests {
    @Test(
        "expressions nest as in Python",
        arguments: [
            ("1 + 2 * 3", "(+ 1 (* 2 3))"),
            ("(1 + 2) * 3", "(* (+ 1 2) 3)"),
            ("2 ** 3 ** 2", "(** 2 (** 3 2))"),
            ("-2 ** 2", "(- (** 2 2))"),
            ("2 ** -1", "(** 2 (- 1))"),
            ("a - b - c", "(- (- a b) c)"),
            ("a / b // c % d", "(% (// (/ a b) c) d)"),
            ("x @ y + z", "(+ (@ x y) z)"),
            ("not a == b and c or d", "(or (and (not (== a b)) c) d)"),
            ("a and not b", "(and a (not b))"),
            ("a < b and b <= c", "(and (< a b) (<= b c))"),
            ("a != b", "(!= a b)"),
            ("x.y.z", "x.y.z"),
            ("x[0]", "x[0]"),
            ("x[-1].text", "x[(- 1)].text"),
            ("x[a:b, :]", "x[a:b, :]"),
            ("x[::2]", "x[::2]"),
            ("x[1:]", "x[1:]"),
            ("x[:n - 1]", "x[:(- n 1)]"),
            ("x[0, 1, 2]", "x[0, 1, 2]"),
            ("x [0]", "x[0]"),
            ("f(x, key=value)", "f(x, key=value)"),
            ("f()", "f()"),
            ("mean(x[0:4], axis=1) * 2", "(* mean(x[0:4], axis=1) 2)"),
            ("[1, 2, [3]]", "[1 2 [3]]"),
            ("[]", "[]"),
            ("[1, 2,]", "[1 2]"),
            ("{\"a\": 1, 'b': [2]}", "{a: 1 b: [2]}"),
            ("{}", "{}"),
            ("true", "true"), ("False", "false"), ("None", "null"), ("null", "null"),
            ("1e-4", "0.0001"), ("0.5", "0.5"), (".5", "0.5"), ("12", "12"), ("1_000", "1000"),
            ("1.5e3", "1500"), ("2.", "2"), ("1E+2", "100"),
            ("größe + 世界", "(+ größe 世界)"),
            ("_", "_"),
            ("[1, # one\n 2]", "[1 2]"),
            ("(a\n + b)", "(+ a b)"),
            ("a \\\n + b", "(+ a b)"),
            ("a\u{A0}+\u{3000}b", "(+ a b)"),
        ])
    func nesting(source: String, expected: String) {
        #expect(tree(source) == expected)
    }

    @Test(
        "escapes give what Python gives",
        arguments: [
            (#""a\nb\tc\"d\\e""#, "a\nb\tc\"d\\e"),
            (#"'it\'s "so"'"#, "it's \"so\""),
            (#""\u{1F600} \u{e9}""#, "😀 é"),
            (#""\xe9\u4e16\U0001F600""#, "é世😀"),
            (#""\ud83d\ude00""#, "😀"),
            ("\"two\nlines\"", "two\nlines"),
            ("\"joined \\\nline\"", "joined line"),
            ("\"# not a comment; nor an end\"", "# not a comment; nor an end"),
        ])
    func escapes(source: String, expected: String) {
        guard case .expression(let node)? = grammar.parse(source).statements.first?.body else {
            Issue.record("\(source) did not parse: \(tree(source))")
            return
        }
        #expect(node.expression == .text(expected))
    }

    @Test("quoted text reads back as itself, whatever it holds")
    func quoting() {
        for text in ["", "plain", "a\"b\\c", "new\nline\ttab\r", "\u{0}\u{1B}[31m", "é世界😀\u{301}"] {
            #expect(tree(quoted(text)) == quoted(text))
            #expect(grammar.parse(quoted(text)).statements.count == 1)
        }
    }

    @Test(
        "a value from outside is a literal where it is one, and text otherwise",
        arguments: [
            ("1e-4", "1e-4"), ("-3", "-3"), ("true", "true"), ("[1, 2]", "[1, 2]"),
            ("\"x\"", "\"x\""), ("adamw", "\"adamw\""), ("a b", "\"a b\""), ("", "\"\""),
            ("1; quit", "\"1; quit\""), ("3;", "\"3;\""), ("f(1)", "\"f(1)\""),
            ("x = 1", "\"x = 1\""),
            ("# no", "\"# no\""), ("1 + 1", "\"1 + 1\""),
        ])
    func outsideValues(value: String, expected: String) {
        #expect(CommandGrammar.literal(value) == expected)
    }

    @Test("a span holds exactly what was read")
    func spans() {
        let source = "  x = (größe + 1) * mean(y[0:2])  # why"
        let statement = grammar.parse(source).statements[0]
        #expect(statement.source == "x = (größe + 1) * mean(y[0:2])")
        #expect(statement.span.text(in: source) == statement.source)
        guard case .expression(let node) = statement.body,
            case .binary(_, let left, let right) = node.expression
        else {
            Issue.record("not a product")
            return
        }
        #expect(node.span.text(in: source) == "(größe + 1) * mean(y[0:2])")
        #expect(left.span.text(in: source) == "(größe + 1)")
        #expect(right.span.text(in: source) == "mean(y[0:2])")
    }
}
