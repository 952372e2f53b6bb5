import Foundation
import Rendering

extension Function {
    /// Functions on text, and between text, numbers and records.
    package static let texts: [Function] = [
        Function(
            "str", "as text", [.required("x", "any value")], example: "str(12)"
        ) { (arguments) throws(EvaluationError) in
            switch arguments.value("x") {
            case .text(let text): return .text(text)
            case .number(let number): return .text(NumberText.exact(number))
            case let value: return .text(value.json)
            }
        },
        Function(
            "float", "as a number", [.required("x", "a number or text that is one")],
            example: "float(\"0.5\")"
        ) { (arguments) throws(EvaluationError) in .number(try number(arguments)) },
        Function(
            "int", "as a whole number, cut towards zero",
            [.required("x", "a number or text that is one")], example: "int(2.7)"
        ) { (arguments) throws(EvaluationError) in
            .number(try number(arguments).rounded(.towardZero))
        },
        Function(
            "type", "what kind of value it is", [.required("x", "any value")],
            example: "type([1, 2])"
        ) { (arguments) throws(EvaluationError) in .text(arguments.value("x").kind) },
        Function(
            "lower", "in small letters; of a list, of each text",
            [.required("x", "text, or a list of texts")], example: "lower(\"ABC\")"
        ) { (arguments) throws(EvaluationError) in
            try eachText(arguments) { .text($0.lowercased()) }
        },
        Function(
            "upper", "in capital letters; of a list, of each text",
            [.required("x", "text, or a list of texts")], example: "upper(\"abc\")"
        ) { (arguments) throws(EvaluationError) in
            try eachText(arguments) { .text($0.uppercased()) }
        },
        Function(
            "strip", "without blanks at both ends; of a list, of each text",
            [.required("x", "text, or a list of texts")], example: "strip(\" a b \")"
        ) { (arguments) throws(EvaluationError) in
            try eachText(arguments) { .text($0.trimmingCharacters(in: .whitespacesAndNewlines)) }
        },
        Function(
            "contains", "whether a text holds another; of a list, for each text",
            [
                .required("x", "text, or a list of texts"),
                .required("part", "the text to look for"),
            ],
            example: "contains(\"a summary\", \"sum\")"
        ) { (arguments) throws(EvaluationError) in
            let part = try arguments.text("part")
            return try eachText(arguments) { .bool(part.isEmpty || $0.contains(part)) }
        },
        Function(
            "startswith", "whether a text begins with another; of a list, for each text",
            [.required("x", "text, or a list of texts"), .required("part", "its beginning")],
            example: "startswith(\"a summary\", \"a \")"
        ) { (arguments) throws(EvaluationError) in
            let part = try arguments.text("part")
            return try eachText(arguments) { .bool($0.hasPrefix(part)) }
        },
        Function(
            "endswith", "whether a text ends with another; of a list, for each text",
            [.required("x", "text, or a list of texts"), .required("part", "its end")],
            example: "endswith(\"a summary\", \"ary\")"
        ) { (arguments) throws(EvaluationError) in
            let part = try arguments.text("part")
            return try eachText(arguments) { .bool($0.hasSuffix(part)) }
        },
        Function(
            "replace", "a text with each occurrence of another replaced; of a list, each text",
            [
                .required("x", "text, or a list of texts"), .required("part", "text to replace"),
                .required("by", "the text in its place"),
            ], example: "replace(\"a-b\", \"-\", \" \")"
        ) { (arguments) throws(EvaluationError) in
            let part = try arguments.text("part")
            let by = try arguments.text("by")
            guard !part.isEmpty else { throw .other("`part` of `replace` is empty") }
            return try eachText(arguments) { (text) throws(EvaluationError) in
                let growth = max(0, by.utf8.count - part.utf8.count)
                let (added, isHuge) = (text.utf8.count / part.utf8.count)
                    .multipliedReportingOverflow(by: growth)
                // Most texts are too short for it, whatever they are.
                if isHuge || text.utf8.count + added > Limits.textBytes {
                    let count = text.ranges(of: part).count
                    try Limits.check(textBytes: text.utf8.count + count * growth)
                }
                return .text(text.replacing(part, with: by))
            }
        },
        Function(
            "split", "a text cut at each separator; of a list, each text",
            [
                .required("x", "text, or a list of texts"),
                .optional("separator", "a blank unless given"),
            ], example: "split(\"a b c\")"
        ) { (arguments) throws(EvaluationError) in
            guard arguments.values["separator"] != nil else {
                return try eachText(arguments) {
                    Value($0.split(whereSeparator: \.isWhitespace).map(String.init))
                }
            }
            let separator = try arguments.text("separator")
            return try eachText(arguments) { text in
                separator.isEmpty
                    ? Value(text.map { String($0) })
                    : Value(text.components(separatedBy: separator))
            }
        },
        Function(
            "join", "texts as one, with a separator between",
            [.required("x", "a list of texts"), .optional("separator", "nothing unless given")],
            example: "join([\"a\", \"b\"], \", \")"
        ) { (arguments) throws(EvaluationError) in
            let items = try arguments.list("x")
            let separator =
                arguments.values["separator"] == nil ? "" : try arguments.text("separator")
            var texts: [String] = []
            for item in items {
                guard let text = item.asText else {
                    throw .wrongKind(
                        role: "each item of `join`", expected: "text", found: item.aKind)
                }
                texts.append(text)
            }
            try Limits.check(
                textBytes: texts.reduce(0) { $0 + $1.utf8.count }
                    + max(0, texts.count - 1) * separator.utf8.count)
            return .text(texts.joined(separator: separator))
        },
        Function(
            "record", "a record of what is given by key", [], example: "record(a=1, b=2)",
            isOpen: true
        ) { (arguments) throws(EvaluationError) in
            guard arguments.rest.isEmpty else {
                throw .tooManyArguments(function: "record", most: 0)
            }
            return .record(arguments.values)
        },
        Function(
            "keys", "the names of a record's fields", [.required("x", "a record")],
            example: "keys(record(a=1, b=2))"
        ) { (arguments) throws(EvaluationError) in
            switch arguments.value("x") {
            case .record(let record): return Value(Array(record.keys))
            case .object(let object): return Value(type(of: object).fieldNames.map(\.name))
            case let value:
                throw .wrongKind(role: "`x` of `keys`", expected: "a record", found: value.aKind)
            }
        },
    ]

    /// The result for the text `x`, or the list of the results for the texts of the list `x`.
    static func eachText(
        _ arguments: Arguments, _ body: (String) throws(EvaluationError) -> Value
    ) throws(EvaluationError) -> Value {
        if case .text(let text) = arguments.value("x") { return try body(text) }
        let role = "`x` of `\(arguments.function)`"
        guard let items = try? arguments.list("x") else {
            throw .wrongKind(
                role: role, expected: "text or a list of texts", found: arguments.value("x").aKind)
        }
        var results: [Value] = []
        for item in items {
            guard case .text(let text) = item else {
                throw .wrongKind(
                    role: role, expected: "text or a list of texts",
                    found: "a list that contains \(item.aKind)")
            }
            results.append(try body(text))
        }
        return .list(results)
    }

    private static func number(_ arguments: Arguments) throws(EvaluationError) -> Double {
        switch arguments.value("x") {
        case .bool(let truth): return truth ? 1 : 0
        case .text(let text):
            guard let number = Double(text.trimmingCharacters(in: .whitespacesAndNewlines)) else {
                throw .wrongKind(
                    role: "`x` of `\(arguments.function)`", expected: "text that is a number",
                    found: Value.text(text).summary)
            }
            // The text of another whole number would give the same double.
            let digits = text.trimmingCharacters(in: .whitespacesAndNewlines).drop {
                "+-".contains($0)
            }
            if number.magnitude >= 0x1p53, digits.utf8.allSatisfy({ (0x30...0x39).contains($0) }),
                digits.drop(while: { $0 == "0" }) != "9007199254740992"
            {
                throw .other(
                    "\(digits) is beyond 2^53, where whole numbers are no longer exact",
                    suggestion: "leave it a text, or write it with a point: \(digits).0")
            }
            return number
        default: return try arguments.number("x")
        }
    }
}
