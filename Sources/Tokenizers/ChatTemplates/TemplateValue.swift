/// A value that a chat template is given: what JSON can say, with whole numbers apart.
public enum TemplateValue: Sendable {
    case none
    case bool(Bool)
    case integer(Int)
    case number(Double)
    case string(String)
    case list([TemplateValue])
    /// Members in their order; of equal keys the last counts.
    case object([(key: String, value: TemplateValue)])
}

extension TemplateValue: ExpressibleByStringLiteral, ExpressibleByBooleanLiteral,
    ExpressibleByIntegerLiteral, ExpressibleByFloatLiteral, ExpressibleByNilLiteral,
    ExpressibleByArrayLiteral, ExpressibleByDictionaryLiteral
{
    public init(stringLiteral value: String) { self = .string(value) }
    public init(booleanLiteral value: Bool) { self = .bool(value) }
    public init(integerLiteral value: Int) { self = .integer(value) }
    public init(floatLiteral value: Double) { self = .number(value) }
    public init(nilLiteral: ()) { self = .none }
    public init(arrayLiteral elements: TemplateValue...) { self = .list(elements) }
    public init(dictionaryLiteral elements: (String, TemplateValue)...) {
        self = .object(elements.map { (key: $0.0, value: $0.1) })
    }
}

extension TemplateValue {
    /// Reads JSON: a list of tools, say. Throws `TokenizerError`.
    public init(json: String) throws {
        self.init(try JSONReader.read(Array(json.utf8)))
    }

    init(_ json: JSONValue) {
        switch json {
        case .null: self = .none
        case .bool(let flag): self = .bool(flag)
        case .number(let number):
            self = Int(exactly: number).map { .integer($0) } ?? .number(number)
        case .string(let text): self = .string(text)
        case .array(let values): self = .list(values.map { TemplateValue($0) })
        case .object(let members):
            self = .object(members.map { (key: $0.key, value: TemplateValue($0.value)) })
        }
    }
}

/// One message of a conversation.
public struct ChatMessage: Sendable {
    /// `system`, `user` or `assistant`; templates may know others.
    public var role: String
    public var content: String
    /// What else a template may ask for: `tool_calls`, `reasoning_content`.
    public var fields: [(key: String, value: TemplateValue)]

    public init(
        role: String, content: String, fields: [(key: String, value: TemplateValue)] = []
    ) {
        self.role = role
        self.content = content
        self.fields = fields
    }

    var value: TemplateValue {
        .object(
            [(key: "role", value: .string(role)), (key: "content", value: .string(content))]
                + fields)
    }
}
