import JSON

/// One message of a conversation.
public struct ChatMessage: Sendable {
    /// `system`, `user` or `assistant`; some templates accept others.
    public var role: String
    public var content: String
    /// Further fields for the template: `tool_calls`, `reasoning_content`.
    public var fields: [JSON.Member]

    public init(role: String, content: String, fields: [JSON.Member] = []) {
        self.role = role
        self.content = content
        self.fields = fields
    }

    var json: JSON {
        .object(
            [JSON.Member("role", .string(role)), JSON.Member("content", .string(content))] + fields)
    }
}
