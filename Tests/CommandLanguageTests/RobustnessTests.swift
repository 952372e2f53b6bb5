import Foundation
import TestSupport
import Testing

@testable import CommandLanguage

/// Each would take hours if a step had quadratic cost.
private let floods: [(String, String)] = [
    ("brackets", String(repeating: "(", count: 1_000_000)),
    ("closers", String(repeating: ")", count: 1_000_000)),
    ("index", "x" + String(repeating: "[0", count: 500_000)),
    ("sums", "x" + String(repeating: "+x", count: 500_000)),
    ("signs", String(repeating: "-", count: 1_000_000)),
    ("powers", "2" + String(repeating: "**2", count: 300_000)),
    ("fields", "x" + String(repeating: ".x", count: 500_000)),
    ("nots", String(repeating: "not ", count: 250_000)),
    ("list", "[" + String(repeating: "1,", count: 500_000) + "]"),
    ("name", String(repeating: "a", count: 1_000_000)),
    ("digits", String(repeating: "1", count: 1_000_000)),
    ("underscores", "1" + String(repeating: "_", count: 1_000_000)),
    ("text", "\"" + String(repeating: "é", count: 500_000) + "\""),
    ("open text", "\"" + String(repeating: "\\", count: 999_999)),
    ("quotes", String(repeating: "\"", count: 999_999)),
    ("quoted path", "load queries a" + String(repeating: "\" b", count: 300_000)),
    ("escaped path", "load queries a" + String(repeating: "\\ b", count: 300_000)),
    ("names to forget", "rm" + String(repeating: " a", count: 500_000)),
    ("topics", "help" + String(repeating: " ..", count: 300_000)),
    ("words", String(repeating: "a ", count: 500_000)),
    ("generate", "generate" + String(repeating: " a", count: 500_000)),
    ("semicolons", String(repeating: ";", count: 1_000_000)),
    ("statements", String(repeating: "x = 1\n", count: 100_000)),
    ("comment", "#" + String(repeating: "x", count: 1_000_000)),
    ("controls", String(repeating: "\u{1}", count: 1_000_000)),
    ("combining", "a" + String(repeating: "\u{301}", count: 400_000)),
    ("curly quotes", String(repeating: "“", count: 300_000)),
    ("keys", "rollout" + String(repeating: " temprature=1", count: 70_000)),
    ("arguments", "f(" + String(repeating: "a,", count: 400_000) + ")"),
]

@Suite struct RobustnessTests {
    /// The properties that every input must satisfy.
    private func check(_ source: String, _ seed: String) {
        let program = grammar.parse(source)
        let count = source.utf8.count
        for statement in program.statements {
            #expect(statement.span.lower >= 0 && statement.span.upper <= count, "\(seed)")
            if program.diagnostics.isEmpty {
                let again = grammar.parse(statement.source)
                #expect(
                    again.statements.count == 1 && again.diagnostics.isEmpty,
                    "\(seed): \(statement.source)")
            }
        }
        for diagnostic in program.diagnostics {
            #expect(diagnostic.span.lower >= 0 && diagnostic.span.upper <= count, "\(seed)")
            #expect(!diagnostic.message.isEmpty)
            let rendered = diagnostic.rendered(in: source)
            #expect(rendered.hasPrefix("error: "), "\(seed)")
            if let corrected = diagnostic.corrected {
                #expect(grammar.parse(corrected).diagnostics.isEmpty, "\(seed): \(corrected)")
            }
        }
        #expect((program.completeness == .complete) == program.diagnostics.isEmpty, "\(seed)")
    }

    @Test("random bytes give a tree or a diagnostic", arguments: 0..<4)
    func randomBytes(seed: UInt64) {
        var generator = SeededGenerator(seed)
        for round in 0..<150 {
            let length = Int.random(in: 0..<60, using: &generator)
            let bytes = (0..<length).map { _ in UInt8.random(in: 0...255, using: &generator) }
            check(String(decoding: bytes, as: UTF8.self), "seed \(seed), round \(round)")
        }
    }

    @Test("random lexemes give a tree or a diagnostic", arguments: 0..<6)
    func randomLexemes(seed: UInt64) {
        let pieces = [
            "load", "model", "queries", "rollout", "score", "export", "x", "y_1", "世界", "mean",
            "temperature", "normalize", "=", "==", "+", "-", "*", "**", "/", "//", "@", "(", ")",
            "[", "]", "{", "}", ",", ":", ".", ";", "\n", " ", " ", " ", "\"a b\"", "'c'", "\"",
            "12", "1e-4", "0.5", "not", "and", "or", "true", "None", "time", "#", "\\", "\\\n", "_",
            "../a", "~", "$", "\u{0}", "\u{301}", "😀", "“", "?", "!", "default", "tokenizer",
            "train",
        ]
        var generator = SeededGenerator(seed)
        for round in 0..<200 {
            let length = Int.random(in: 1..<14, using: &generator)
            var source = ""
            for _ in 0..<length {
                source += pieces[Int.random(in: 0..<pieces.count, using: &generator)]
                if Bool.random(using: &generator) { source += " " }
            }
            check(source, "seed \(seed), round \(round)")
            let cursor = Int.random(in: 0...source.utf8.count, using: &generator)
            let context = grammar.completionContext(for: source, at: cursor)
            #expect(context.span.lower <= context.span.upper, "seed \(seed), round \(round)")
            _ = grammar.candidates(for: context)
        }
    }

    @Test("good statements with a byte changed, dropped or doubled give a tree or a diagnostic")
    func mutations() {
        let good = [
            "mine = rollout queries[0:8, ::2] temperature=0.7 top_p=x.p[1] # why",
            "load queries \"../a b/é.jsonl\" split=test count=2*(8 + 1);",
            "time x = {\"a\": [1, -2e-3, \"\\u{1F600}\"], 'b': not mean(y, axis=1) ** 2}\nls",
        ]
        for (index, source) in good.enumerated() {
            let bytes = Array(source.utf8)
            var generator = SeededGenerator(UInt64(index))
            for position in bytes.indices {
                var changed = bytes
                changed[position] = UInt8.random(in: 0...127, using: &generator)
                var dropped = bytes
                dropped.remove(at: position)
                var doubled = bytes
                doubled.insert(bytes[position], at: position)
                for variant in [changed, dropped, doubled, Array(bytes[..<position])] {
                    check(String(decoding: variant, as: UTF8.self), "\(source), at \(position)")
                }
            }
        }
    }

    @Test("a megabyte of anything is read in linear time", arguments: floods.map(\.0))
    func megabyte(name: String) {
        // By name: a test runner that prints its arguments would print megabytes.
        guard let source = floods.first(where: { $0.0 == name })?.1 else { return }
        let program = grammar.parse(source)
        for diagnostic in program.diagnostics { _ = diagnostic.rendered(in: source) }
        _ = grammar.completionContext(for: source, at: source.utf8.count)
        #expect(program.completeness == .complete || !program.diagnostics.isEmpty)
    }

    @Test("nesting up to the limit is read, and one level more gives a sentence")
    func nesting() {
        func nested(_ depth: Int) -> String {
            String(repeating: "[", count: depth) + String(repeating: "]", count: depth)
        }
        #expect(grammar.parse(nested(CommandGrammar.nestingLimit - 1)).diagnostics.isEmpty)
        let deep = grammar.parse(nested(CommandGrammar.nestingLimit + 1)).diagnostics
        #expect(deep.first?.message == "this nests deeper than 200 levels")
        #expect(deep.first?.suggestion == "give a part of it a name in a statement of its own")
    }
}
