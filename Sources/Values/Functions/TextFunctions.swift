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
            "lower", "in small letters", [.required("x", "text")], example: "lower(\"ABC\")"
        ) { (arguments) throws(EvaluationError) in .text(try arguments.text("x").lowercased()) },
        Function(
            "upper", "in capital letters", [.required("x", "text")], example: "upper(\"abc\")"
        ) { (arguments) throws(EvaluationError) in .text(try arguments.text("x").uppercased()) },
        Function(
            "contains", "whether a text holds another, or a list an item",
            [.required("x", "text or a list"), .required("part", "what to look for")],
            example: "contains(\"a summary\", \"sum\")"
        ) { (arguments) throws(EvaluationError) in
            if case .text(let text) = arguments.value("x") {
                let part = try arguments.text("part")
                return .bool(part.isEmpty || text.contains(part))
            }
            let part = arguments.value("part")
            return .bool(try arguments.list("x").contains { $0.equals(part) })
        },
        Function(
            "split", "a text cut at each separator",
            [.required("x", "text"), .optional("separator", "a blank unless given")],
            example: "split(\"a b c\")"
        ) { (arguments) throws(EvaluationError) in
            let text = try arguments.text("x")
            guard arguments.values["separator"] != nil else {
                return Value(text.split(whereSeparator: \.isWhitespace).map(String.init))
            }
            let separator = try arguments.text("separator")
            guard !separator.isEmpty else { return Value(text.map { String($0) }) }
            return Value(text.components(separatedBy: separator))
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
