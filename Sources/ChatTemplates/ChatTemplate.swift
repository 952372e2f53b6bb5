import Foundation
import JSON

/// A chat template as published models carry it: Jinja, set up as transformers sets it up.
///
/// ```swift
/// let template = try ChatTemplate("{% for m in messages %}{{ m.role }}: {{ m.content }}\n{% endfor %}")
/// let prompt = try template.render(messages: [ChatMessage(role: "user", content: "Hello!")])
/// ```
///
/// Templates come from strangers: they see only what they are given, and what they may nest, do and
/// write is bounded (`TemplateLimits`). Not understood, and refused by name: templates that include,
/// import or extend others, blocks that call macros with arguments unpacked by `*`, recursive loops.
public struct ChatTemplate: Sendable {
    /// The text the template was made of.
    public let source: String

    private let statements: [Statement]

    /// Throws `TemplateError` for a template that cannot be read.
    public init(_ source: String) throws {
        self.source = source
        var parser = TemplateParser(try TemplateLexer.tokens(of: source))
        statements = try parser.template()
    }

    /// The text of a conversation. `variables` are what else the template may read: `bos_token`,
    /// `eos_token`, `tools`, `enable_thinking`; `now` is what `strftime_now` shows.
    ///
    /// Throws `TemplateError`; `.refused` when the template itself raises an exception.
    public func render(
        messages: [ChatMessage], addGenerationPrompt: Bool = true,
        variables: [String: JSON] = [:], now: Date = Date()
    ) throws -> String {
        try render(
            messages: .array(messages.map(\.json)), addGenerationPrompt: addGenerationPrompt,
            variables: variables, now: now)
    }

    /// The same for messages of any shape, such as contents that are lists of parts.
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

/// How much a template may do. The published ones stay far below.
enum TemplateLimits {
    /// Characters of a template.
    static let source = 1 << 20
    /// Statements inside statements.
    static let nesting = 60
    /// Operations inside one expression's operations.
    static let height = 120
    /// What is being evaluated at one time, calls of macros included.
    static let depth = 400
    /// Steps, a step being a node evaluated or some bytes moved.
    static let work = 8_000_000
    /// Bytes of one text.
    static let text = 1 << 24
    /// Elements of one `range`, as in Jinja's sandbox.
    static let range = 100_000
}
