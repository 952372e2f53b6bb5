import Testing

@testable import CommandLanguage

/// Loops, choices, functions, comprehensions and several names on the left.
@Suite struct BlockTests {
    @Test(arguments: [
        ("for x in [1, 2] { x }", "for x in [1 2] <x>"),
        ("x += 1", "x := (+ x 1)"),
        ("x -= y * 2 - 1", "x := (- x (- (* y 2) 1))"),
        ("x *= [2]; x /= 3", "x := (* x [2]) | x := (/ x 3)"),
        (
            "for i, x in pairs {\n  y = x\n\n  show y;\n}",
            "for i, x in pairs <y := x | {show value:y};>"
        ),
        ("for x in a { for y in b { f(x, y) } }", "for x in a <for y in b <f(x, y)>>"),
        ("for x in a { load model m }\n3", "for x in a <{load model path:<m>}> | 3"),
        ("for x in a { rollout }; 3", "for x in a <{rollout}> | 3"),
        ("for x in a {}", "for x in a <>"),
        ("for x in {\"a\": 1} { x } # comment", "for x in {a: 1} <x>"),
        ("time for x in a { x };", "time for x in a <x>;"),
        ("if a { b }", "if a <b>"),
        ("if a { b } else { c }", "if a <b> else <c>"),
        (
            "if a == 1 { b } else if c {\n d\n} else {\n e }",
            "if (== a 1) <b> else if c <d> else <e>"
        ),
        ("g(x, y) = x + y", "g := (x, y) -> (+ x y)"),
        ("k() = 3", "k := () -> 3"),
        ("a, b = x", "a, b := x"),
        ("a[0].b = x + 1", "a := a[0].b <- (+ x 1)"),
        ("a.b[\"c\"][i, 1] = 2;", "a := a.b[\"c\"][i, 1] <- 2;"),
        ("t[..., 1]", "t[..., 1]"),
        ("m, l = train epochs=1", "m, l := {train epochs=1}"),
        ("a if b else c", "(a if b else c)"),
        ("a if b else c if d else e", "(a if b else (c if d else e))"),
        (
            "update learning_rate=1 if a else 2 optimizer=adamw",
            "{update learning_rate=(1 if a else 2) optimizer='adamw}"
        ),
        ("[x * 2 for x in a]", "[(* x 2) for x in a]"),
        (
            "[x for x, y in a if y for z in x if not z]",
            "[x for x, y in a if y for z in x if (not z)]"
        ),
        ("[x for x in a\n  if x]", "[x for x in a if x]"),
        ("a in b", "(in a b)"), ("not a in b", "(not (in a b))"), ("a not in b", "(not in a b)"),
        ("a in b and c", "(and (in a b) c)"),
        ("x == f(y)", "(== x f(y))"),
    ])
    func `blocks are read`(source: String, expected: String) {
        #expect(tree(source) == expected)
    }

    @Test(arguments: [
        ("for x in a {", "the `{` opened here is never closed"),
        ("if a {\n  b", "the `{` opened here is never closed"),
        ("if a { b } else {", "the `{` opened here is never closed"),
        ("[x for x in a", "the `[` opened here is never closed"),
    ])
    func `an open block asks for more lines`(source: String, message: String) {
        #expect(grammar.parse(source).completeness == .incomplete(message))
    }

    @Test(arguments: [
        ("for x in a x", "expected `{` and statements, found `x`"),
        ("load += 1", "`load` must be followed by `model` or `queries`, found `+=`"),
        ("1 += 2", "only names, or one part of a value, can stand on the left of `=`"),
        ("x + y += 2", "only names, or one part of a value, can stand on the left of `=`"),
        ("_ += 2", "`_` always is the last result, so it cannot be given"),
        ("a = b += 2", "only names, or one part of a value, can stand on the left of `=`"),
        ("a = f\"x\"", "f\"…\" is not text here; values join a text with +"),
        ("!ls", "`!` runs no shell command here"),
        ("a; !ls", "`!` runs no shell command here"),
        ("x = !a", "`!` is written `not` here"),
        ("for x in a: x", "the statements stand between `{` and `}`, not after a colon"),
        ("for x a { }", "expected `in` and a list, found `a`"),
        ("for 3 in a { }", "expected a name for each item, found `3`"),
        ("for load in a { }", "`load` is a command, so it cannot name a value"),
        ("else { 3 }", "`else` follows the `}` of its `if` on the same line"),
        ("if a { b }\nelse { c }", "`else` follows the `}` of its `if` on the same line"),
        ("if a { b } c", "expected an operator or the end of the statement, found `c`"),
        ("x = for y in a { }", "expected a value, found `for`"),
        ("a, a = x", "`a` is given twice"),
        ("a, 3 = x", "a list is written between `[` and `]`"),
        ("g(x, x) = x", "`x` is given twice"),
        ("mean(x) = x", "`mean` is a function of the language, so it cannot be defined"),
        ("a if b", "expected `else` and the other value, found the end"),
        ("[x for x in a, b]", "expected `for`, `if` or `]`, found `,`"),
        ("for = 3", "`for` is a word of the language, so it cannot name a value"),
        ("for x in a { y = }\nz = 3", "expected a value, found `}`"),
    ])
    func `a fault has a sentence`(source: String, message: String) {
        let program = grammar.parse(source)
        #expect(program.diagnostics.map(\.message) == [message])
    }

    @Test func `blocks nest to a limit`() {
        let deep = String(repeating: "if a { ", count: 17) + String(repeating: "}", count: 17)
        #expect(
            grammar.parse(deep).diagnostics.first?.message == "this nests deeper than 16 levels")
        let fits = String(repeating: "if a { ", count: 16) + String(repeating: "}", count: 16)
        #expect(grammar.parse(fits).diagnostics.isEmpty)
    }

    @Test(arguments: [
        ("g(1)", [], ["there is no function `g`"]), ("g(1)", ["g"], []),
        ("g(x) = x\ng(1)", [], []), ("h(k) = k(1)", [], []),
        ("for x in [1] { mena(x) }", [], ["there is no function `mena`"]),
        ("for g in fs { g(1) }", [], []),
        ("x = [len(y) for y in a if gg(y)]", [], ["there is no function `gg`"]),
        ("show g(1)", [], ["there is no function `g`"]),
    ])
    func `calls are checked before anything runs`(
        source: String, defined: [String], messages: [String]
    ) {
        let program = grammar.checkingCalls(of: grammar.parse(source)) { defined.contains($0) }
        #expect(program.diagnostics.map(\.message) == messages)
    }

    @Test func `a mistyped function gets the nearest name`() {
        let program = grammar.checkingCalls(of: grammar.parse("a = 1\nx = mena(a)")) { _ in false }
        #expect(program.diagnostics.first?.suggestion == "did you mean `mean`?")
        #expect(program.diagnostics.first?.corrected == "x = mean(a)")
    }
}
