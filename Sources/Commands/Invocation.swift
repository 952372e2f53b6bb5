import CommandLanguage
import Foundation
import HDF5Objects
import LongWork
import Rendering
import Tensors
import Tokenizers
import Transformers
import Values
import Worlds

/// One running command: its operands and keys as values, and its access to the session.
package final class Invocation {
    unowned let session: any CommandContext
    package let call: CommandCall
    /// The text that spans refer to.
    package let source: String
    /// Decides all random numbers of the command.
    package let key: RandomKey
    /// The statement's number in the journal, 0 for commands that are not journaled.
    package let sequence: Int
    /// The names on the left of `=`.
    package let targets: [Identifier]
    /// The name on the left of `=`; the first of several.
    package var target: Identifier? { targets.first }
    /// The checkpoint of the same statement, if it was stopped or killed; nil for a new run.
    package let resumed: StoredValue?

    package init(
        session: any CommandContext, call: CommandCall, source: String, targets: [Identifier],
        key: RandomKey, sequence: Int, resumed: StoredValue? = nil
    ) {
        self.session = session
        self.call = call
        self.source = source
        self.targets = targets
        self.key = key
        self.sequence = sequence
        self.resumed = resumed
    }

    package var appearance: Appearance { session.appearance }

    // MARK: Values

    /// The argument with an operand's role or a key.
    package func argument(_ role: String) -> Argument? { call.operand(role) ?? call.option(role) }

    package func has(_ role: String) -> Bool { argument(role) != nil }

    package func value(_ argument: Argument) throws -> Value {
        switch argument.value {
        case .word(let word), .path(let word), .name(let word): .text(word)
        case .expression(let node): try Evaluator(environment: session).value(of: node)
        }
    }

    /// The text of an argument that may be a word of the grammar or a path: as typed, or as an
    /// expression's text. A path, bare or in quotes, is no word.
    package func word(_ argument: Argument?) throws -> String? {
        switch argument?.value {
        case .word(let word): word
        case .expression: try argument.flatMap { try value($0).asText }
        case .path, .name, nil: nil
        }
    }

    package func value(_ role: String) throws -> Value? { try argument(role).map { try value($0) } }

    /// The error at the place of `role`, or else at the verb.
    package func located(_ error: any Error, at role: String? = nil) -> LocatedError {
        let span = role.flatMap { argument($0)?.span } ?? call.verb.span
        return LocatedError(error: error, span: span)
    }

    package func error(_ message: String, suggestion: String? = nil, at role: String? = nil)
        -> LocatedError
    {
        located(EvaluationError.other(message, suggestion: suggestion), at: role)
    }

    package func number(_ role: String) throws -> Double? {
        guard let value = try value(role) else { return nil }
        guard let number = value.asNumber else {
            throw located(
                EvaluationError.wrongKind(
                    role: "`\(role)`", expected: "a number", found: value.aKind),
                at: role)
        }
        return number
    }

    package func number(_ role: String, in range: ClosedRange<Double>, rule: String) throws
        -> Double?
    {
        guard let number = try number(role) else { return nil }
        guard range.contains(number) else {
            throw located(
                EvaluationError.outOfRange(
                    role: "`\(role)`", rule: rule, found: NumberText.significant(number)),
                at: role)
        }
        return number
    }

    package func number(_ role: String, atLeast lower: Double) throws -> Double? {
        try number(
            role, in: lower...Double.greatestFiniteMagnitude,
            rule: "at least \(NumberText.significant(lower))")
    }

    func integer(_ role: String, atLeast lower: Int, atMost upper: Int = 1 << 31) throws -> Int? {
        guard let value = try value(role) else { return nil }
        guard let integer = value.asInteger else {
            if let number = value.asNumber {
                throw located(
                    EvaluationError.notWhole(
                        role: "`\(role)`", found: NumberText.significant(number)),
                    at: role)
            }
            throw located(
                EvaluationError.wrongKind(
                    role: "`\(role)`", expected: "a whole number", found: value.aKind), at: role)
        }
        guard integer >= lower, integer <= upper else {
            let rule =
                integer < lower
                ? "at least \(NumberText.grouped(lower))" : "at most \(NumberText.grouped(upper))"
            throw located(
                EvaluationError.outOfRange(role: "`\(role)`", rule: rule, found: "\(integer)"),
                at: role)
        }
        return integer
    }

    /// A list of finite numbers.
    package func numbers(_ role: String) throws -> [Double]? {
        guard let value = try value(role) else { return nil }
        guard case .list(let items) = value else {
            throw located(
                EvaluationError.wrongKind(
                    role: "`\(role)`", expected: "a list of numbers", found: value.aKind), at: role)
        }
        return try items.map { item in
            guard case .number(let number) = item, number.isFinite else {
                throw located(
                    EvaluationError.wrongKind(
                        role: "an item of `\(role)`", expected: "a number", found: item.aKind),
                    at: role)
            }
            return number
        }
    }

    package func flag(_ role: String) throws -> Bool? {
        guard let value = try value(role) else { return nil }
        switch value {
        case .bool(let flag): return flag
        default:
            throw located(
                EvaluationError.wrongKind(
                    role: "`\(role)`", expected: "true or false", found: value.aKind), at: role)
        }
    }

    package func text(_ role: String) throws -> String? {
        guard let value = try value(role) else { return nil }
        guard case .text(let text) = value else {
            throw located(
                EvaluationError.wrongKind(role: "`\(role)`", expected: "text", found: value.aKind),
                at: role)
        }
        return text
    }

    /// One text or a list of texts; empty without the argument.
    package func texts(_ role: String) throws -> [String] {
        let items: [Value]
        switch try value(role) {
        case nil: items = []
        case .list(let list): items = list
        case let single?: items = [single]
        }
        return try items.map { item in
            guard case .text(let text) = item else {
                throw located(
                    EvaluationError.wrongKind(
                        role: "each item of `\(role)`", expected: "text", found: item.aKind),
                    at: role)
            }
            return text
        }
    }

    /// One of an enumeration's words, as the grammar listed them.
    package func word<Word: RawRepresentable & CaseIterable>(
        _ role: String, _ type: Word.Type
    ) throws -> Word? where Word.RawValue == String {
        guard let text = try text(role) else { return nil }
        guard let word = Word(rawValue: text) else {
            throw outOfRange(role, Word.allCases.map(\.rawValue), text)
        }
        return word
    }

    /// The error for a word that is none of those allowed.
    func outOfRange(_ role: String, _ words: [String], _ found: String) -> any Error {
        located(
            EvaluationError.outOfRange(
                role: "`\(role)`", rule: Sentence.alternatives(words),
                found: Value.text(found).summary),
            at: role)
    }

    // MARK: Objects

    /// The operand, or else the workspace's value under the object's name.
    package func object<N: SessionObject>(_ type: N.Type, _ role: String) throws -> N {
        if let argument = argument(role) { return try object(type, argument) }
        return try workspaceObject(type, role)
    }

    /// The same; nil without both.
    func objectIfBound<N: SessionObject>(_ type: N.Type, _ role: String) throws -> N? {
        if let argument = argument(role) { return try object(type, argument) }
        guard session.isBound(role) else { return nil }
        return try workspaceObject(type, role)
    }

    /// The workspace's value under the name.
    func workspaceObject<N: SessionObject>(_ type: N.Type, _ name: String) throws -> N {
        guard let value = try session.value(of: name) else {
            throw located(
                EvaluationError.missingObject(
                    name, verb: call.title, maker: CommandTable.maker(of: N.kind)))
        }
        return try object(type, of: value, name, call.verb.span)
    }

    private func object<N: SessionObject>(_ type: N.Type, _ argument: Argument) throws -> N {
        try object(type, of: try value(argument), argument.role, argument.span)
    }

    /// The model, computed in the statement's precision, by the session's ranks if there are any.
    func computing(_ model: ModelObject) -> ModelObject {
        var object = model.computed(in: session.settings.statementPrecision)
        object.model.crew = session.crew
        return object
    }

    /// The value as an object. One item of a list is accepted in place of the list (`score
    /// rollouts[0]`), and so are records that a person typed.
    private func object<N: SessionObject>(
        _ type: N.Type, of value: Value, _ role: String, _ span: SourceSpan
    ) throws -> N {
        if let object = value.object(type) {
            return (object as? ModelObject).flatMap { computing($0) as? N } ?? object
        }
        let listType = type as? any ListObject.Type
        do throws(EvaluationError) {
            if let made = try listType?.init(wrapping: value) as? N { return made }
        } catch {
            throw LocatedError(error: error, span: span)
        }
        if type is RolloutsObject.Type, let made = try typedRollouts(value, span) as? N {
            return made
        }
        let fault = EvaluationError.wrongKind(
            role: "`\(role)`", expected: Sentence.withArticle(N.kind), found: value.aKind)
        throw LocatedError(
            error: listType?.typedItem.map { form in
                EvaluationError.other(
                    fault.message, suggestion: "or a list of records like \(form)")
            } ?? fault, span: span)
    }

    // MARK: Long work

    /// Whether the user wants to stop the work.
    package var isInterrupted: Bool {
        session.isInterrupted
    }

    /// Asked by long work between the blocks of a model.
    package func cancel() -> Continuation { isInterrupted ? .stop : .more }

    func meter(_ task: String? = nil) -> ProgressMeter {
        let session = session
        return ProgressMeter(
            task: task ?? call.verb.name, sending: { session.crew?.sending },
            report: session.progress)
    }

    // MARK: Files

    /// The absolute path for a path operand.
    package func path(_ role: String) throws -> String? {
        guard let text = try text(role) else { return nil }
        return Paths.absolute(text, in: session.directory)
    }
}
