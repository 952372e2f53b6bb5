import Foundation
import JSON

/// A chat template of a published model: Jinja, with the settings of transformers.
///
/// ```swift
/// let template = try ChatTemplate(
///     "{% for m in messages %}{{ m.role }}: {{ m.content }}\n{% endfor %}")
/// let prompt = try template.render(messages: [ChatMessage(role: "user", content: "Hello!")])
/// ```
///
/// Templates come from strangers. They see only the values that they are given, and their nesting,
/// work and output are limited (`TemplateLimits`). Not supported, and refused with an error that
/// names the feature: templates that include, import or extend others, blocks that call macros with
/// arguments unpacked by `*`, recursive loops.
public struct ChatTemplate: Sendable {
    /// The text of the template.
    public let source: String

    private let statements: [Statement]

    /// Throws `TemplateError` for an invalid template.
    public init(_ source: String) throws {
        self.source = source
        var parser = TemplateParser(try TemplateLexer.tokens(of: source))
        statements = try parser.template()
    }

    /// The text of a conversation. `variables` are further values for the template: `bos_token`,
    /// `eos_token`, `tools`, `enable_thinking`; `now` is the time that `strftime_now` shows.
    ///
    /// Throws `TemplateError`; `.refused` if the template itself raises an exception.
    public func render(
        messages: [ChatMessage], addGenerationPrompt: Bool = true,
        variables: [String: JSON] = [:], now: Date = Date()
    ) throws -> String {
        try render(
            messages: .array(messages.map(\.json)), addGenerationPrompt: addGenerationPrompt,
            variables: variables, now: now)
    }

    /// The same for messages of any form, such as contents that are lists of parts.
    public func render(
        messages: JSON, addGenerationPrompt: Bool = true,
        variables: [String: JSON] = [:], now: Date = Date()
    ) throws -> String {
        var given: [String: JSON] = ["tools": .null, "documents": .null]
        given.merge(variables) { $1 }
        given["messages"] = messages
        given["add_generation_prompt"] = .bool(addGenerationPrompt)
        let evaluator = TemplateEvaluator(given.mapValues { Value($0) }, now: now)
        return try evaluator.render(statements)
    }
}

/// Limits for a template. Published templates stay far below them.
enum TemplateLimits {
    /// Characters of a template.
    static let source = 1 << 20
    /// Nesting of statements.
    static let nesting = 60
    /// Nesting of operations in one expression.
    static let height = 120
    /// Nesting of evaluations, calls of macros included.
    static let depth = 400
    /// Number of steps. A step is the evaluation of a node, or the copying of some bytes.
    static let work = 8_000_000
    /// Bytes of one text.
    static let text = 1 << 24
    /// Elements of one `range`, as in Jinja's sandbox.
    static let range = 100_000
}
