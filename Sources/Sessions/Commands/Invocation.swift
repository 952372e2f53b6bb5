import CommandLanguage
import Foundation
import Tensors
import Transformers
import Workspaces

/// One command while it runs: its operands and keys as values, and what it needs of the session.
final class Invocation {
    unowned let session: Session
    let call: CommandCall
    /// The text that spans point into.
    let source: String
    /// Decides everything random in the command.
    let key: RandomKey
    /// The journal's number, 0 for commands that are not journaled.
    let sequence: Int
    /// The name on the left of `=`.
    let target: Identifier?
    /// Hands on the outcomes of statements that this one runs, as `source` does.
    let report: (Outcome) -> Void
    /// Where the same statement stood when it was stopped or killed; nil where it begins anew.
    let resumed: StoredValue?

    init(
        session: Session, call: CommandCall, source: String, target: Identifier?, key: RandomKey,
        sequence: Int, resumed: StoredValue? = nil, report: @escaping (Outcome) -> Void
    ) {
        self.session = session
        self.call = call
        self.source = source
        self.target = target
        self.key = key
        self.sequence = sequence
        self.resumed = resumed
        self.report = report
    }

    var appearance: Appearance { session.appearance }

    // MARK: Values

    /// The argument for an operand's role or a key.
    func argument(_ role: String) -> Argument? { call.operand(role) ?? call.option(role) }

    func has(_ role: String) -> Bool { argument(role) != nil }

    func value(_ argument: Argument) throws -> Value {
        switch argument.value {
        case .word(let word), .path(let word), .name(let word): .text(word)
        case .expression(let node): try Evaluator(environment: session).value(of: node)
        }
    }

    func value(_ role: String) throws -> Value? { try argument(role).map { try value($0) } }

    /// Complains about the place where `role` was given, or about the verb.
    func complaint(_ complaint: any Error, at role: String? = nil) -> PlacedComplaint {
        let span = role.flatMap { argument($0)?.span } ?? call.verb.span
        return PlacedComplaint(complaint: complaint, span: span)
    }

    func fail(_ message: String, suggestion: String? = nil, at role: String? = nil)
        -> PlacedComplaint
    {
        complaint(Complaint.other(message, suggestion: suggestion), at: role)
    }

    func number(_ role: String) throws -> Double? {
        guard let value = try value(role) else { return nil }
        guard let number = value.asNumber else {
            throw complaint(
                Complaint.wrongKind(role: "`\(role)`", expected: "a number", found: value.aKind),
                at: role)
        }
        return number
    }

    func number(_ role: String, in range: ClosedRange<Double>, rule: String) throws -> Double? {
        guard let number = try number(role) else { return nil }
        guard range.contains(number) else {
            throw complaint(
                Complaint.outOfRange(
                    role: "`\(role)`", rule: rule, found: NumberText.significant(number)),
                at: role)
        }
        return number
    }

    func number(_ role: String, atLeast lower: Double) throws -> Double? {
        try number(
            role, in: lower...Double.greatestFiniteMagnitude,
            rule: "at least \(NumberText.significant(lower))")
    }

    func integer(_ role: String, atLeast lower: Int, atMost upper: Int = 1 << 31) throws -> Int? {
        guard let value = try value(role) else { return nil }
        guard let integer = value.asInteger else {
            if let number = value.asNumber {
                throw complaint(
                    Complaint.notWhole(role: "`\(role)`", found: NumberText.significant(number)),
                    at: role)
            }
            throw complaint(
                Complaint.wrongKind(
                    role: "`\(role)`", expected: "a whole number", found: value.aKind), at: role)
        }
        guard integer >= lower, integer <= upper else {
            let rule =
                integer < lower
                ? "at least \(NumberText.grouped(lower))" : "at most \(NumberText.grouped(upper))"
            throw complaint(
                Complaint.outOfRange(role: "`\(role)`", rule: rule, found: "\(integer)"), at: role)
        }
        return integer
    }

    /// A list of finite numbers.
    func numbers(_ role: String) throws -> [Double]? {
        guard let value = try value(role) else { return nil }
        guard case .list(let items) = value else {
            throw complaint(
                Complaint.wrongKind(
                    role: "`\(role)`", expected: "a list of numbers", found: value.aKind), at: role)
        }
        return try items.map { item in
            guard case .number(let number) = item, number.isFinite else {
                throw complaint(
                    Complaint.wrongKind(
                        role: "an item of `\(role)`", expected: "a number", found: item.aKind),
                    at: role)
            }
            return number
        }
    }

    func flag(_ role: String) throws -> Bool? {
        guard let value = try value(role) else { return nil }
        switch value {
        case .bool(let flag): return flag
        default:
            throw complaint(
                Complaint.wrongKind(
                    role: "`\(role)`", expected: "true or false", found: value.aKind), at: role)
        }
    }

    func text(_ role: String) throws -> String? {
        guard let value = try value(role) else { return nil }
        guard case .text(let text) = value else {
            throw complaint(
                Complaint.wrongKind(role: "`\(role)`", expected: "text", found: value.aKind),
                at: role)
        }
        return text
    }

    /// One text or a list of texts; none when the argument is not there.
    func texts(_ role: String) throws -> [String] {
        let items: [Value]
        switch try value(role) {
        case nil: items = []
        case .list(let list): items = list
        case let single?: items = [single]
        }
        return try items.map { item in
            guard case .text(let text) = item else {
                throw complaint(
                    Complaint.wrongKind(
                        role: "each item of `\(role)`", expected: "text", found: item.aKind),
                    at: role)
            }
            return text
        }
    }

    /// One of an enumeration's words, as the vocabulary listed them.
    func word<Word: RawRepresentable & CaseIterable>(
        _ role: String, _ type: Word.Type
    ) throws -> Word? where Word.RawValue == String {
        guard let text = try text(role) else { return nil }
        guard let word = Word(rawValue: text) else {
            let words = Word.allCases.map(\.rawValue)
            throw complaint(
                Complaint.outOfRange(
                    role: "`\(role)`", rule: Sentence.alternatives(words),
                    found: Value.text(text).summary),
                at: role)
        }
        return word
    }

    // MARK: Nouns

    /// The operand, else what the workspace holds under the noun's name.
    func noun<N: Noun>(_ type: N.Type, _ role: String) throws -> N {
        if let argument = argument(role) { return try noun(type, argument) }
        return try workspaceNoun(type, role)
    }

    /// As above, nil when there is neither.
    func nounIfAny<N: Noun>(_ type: N.Type, _ role: String) throws -> N? {
        if let argument = argument(role) { return try noun(type, argument) }
        guard session.bindings.info(role) != nil else { return nil }
        return try workspaceNoun(type, role)
    }

    private func workspaceNoun<N: Noun>(_ type: N.Type, _ name: String) throws -> N {
        guard let value = try session.value(of: name) else {
            throw complaint(
                Complaint.missingNoun(
                    name, verb: call.title, maker: CommandTable.maker(of: N.kind)))
        }
        guard let noun = value.noun(type) ?? made(type, of: value) else {
            throw complaint(
                Complaint.wrongKind(
                    role: "`\(name)`", expected: Sentence.withArticle(N.kind), found: value.aKind))
        }
        return noun
    }

    private func noun<N: Noun>(_ type: N.Type, _ argument: Argument) throws -> N {
        let value = try value(argument)
        if let noun = value.noun(type) ?? made(type, of: value) { return noun }
        throw PlacedComplaint(
            complaint: Complaint.wrongKind(
                role: "`\(argument.role)`", expected: Sentence.withArticle(N.kind),
                found: value.aKind),
            span: argument.span)
    }

    /// One item of a list is as good as the list, `score rollouts[0]`, and so are records that a
    /// person wrote, `principles = [{"principle": …, "antithesis": …}]`.
    private func made<N: Noun>(_ type: N.Type, of value: Value) -> N? {
        (type as? any ListNoun.Type)?.holding(value) as? N
    }

    // MARK: Long work

    /// Whether the person wants the work to stop.
    var isInterrupted: Bool {
        session.isInterrupted
    }

    func meter(_ task: String? = nil) -> ProgressMeter {
        ProgressMeter(task: task ?? call.verb.name, report: session.progress)
    }

    // MARK: Files

    /// The absolute path for a path operand.
    func path(_ role: String) throws -> String? {
        guard let text = try text(role) else { return nil }
        return Session.absolute(text, in: session.directory)
    }
}

/// A noun that is a list, and can be made of a few of its items.
protocol ListNoun: Noun {
    /// The list that holds this value: an item, or a list of items; nil when it is neither.
    static func holding(_ value: Value) -> (any Noun)?
}
