import JSON

/// A request that is refused, in the form in which OpenAI's API says so.
struct Refusal: Error, Sendable {
    var status: Int
    var message: String
    /// The field that is at fault.
    var field: String?

    init(_ message: String, field: String? = nil, status: Int = 400) {
        (self.status, self.message, self.field) = (status, message, field)
    }

    var json: JSON {
        .object([
            .init(
                "error",
                .object([
                    .init("message", .string(message)),
                    .init(
                        "type",
                        .string(status < 500 ? "invalid_request_error" : "server_error")),
                    .init("param", field.map { .string($0) } ?? .null),
                    .init("code", .null),
                ]))
        ])
    }
}

/// The fields of a request. Each is read once; a field that nobody reads is refused unless its
/// value asks for nothing, so that no wish is ignored silently.
struct RequestFields {
    private let members: [JSON.Member]
    private var known: Set<String> = []

    init(_ body: JSON) throws(Refusal) {
        guard let members = body.members else {
            throw Refusal("the body must be a JSON object")
        }
        self.members = members
    }

    /// Nil for a field that is absent or null.
    mutating func value(_ name: String) -> JSON? {
        known.insert(name)
        guard let value = members.last(where: { $0.key == name })?.value, !value.isNull else {
            return nil
        }
        return value
    }

    mutating func integer(_ name: String, in range: ClosedRange<Int>) throws(Refusal) -> Int? {
        guard let value = value(name) else { return nil }
        guard let number = value.integer, range.contains(number) else {
            throw Refusal(
                "`\(name)` must be a whole number from \(range.lowerBound) to \(range.upperBound)",
                field: name)
        }
        return number
    }

    mutating func number(_ name: String, in range: ClosedRange<Double>) throws(Refusal) -> Double? {
        guard let value = value(name) else { return nil }
        guard let number = value.double, range.contains(number) else {
            throw Refusal(
                "`\(name)` must be a number from \(range.lowerBound) to \(range.upperBound)",
                field: name)
        }
        return number
    }

    mutating func flag(_ name: String) throws(Refusal) -> Bool? {
        guard let value = value(name) else { return nil }
        guard let flag = value.bool else {
            throw Refusal("`\(name)` must be true or false", field: name)
        }
        return flag
    }

    mutating func text(_ name: String) throws(Refusal) -> String? {
        guard let value = value(name) else { return nil }
        guard let text = value.string else {
            throw Refusal("`\(name)` must be text", field: name)
        }
        return text
    }

    /// A text, or a list of texts.
    mutating func texts(_ name: String) throws(Refusal) -> [String] {
        guard let value = value(name) else { return [] }
        if let text = value.string { return [text] }
        let texts = value.elements?.compactMap(\.string) ?? []
        guard let count = value.elements?.count, count == texts.count else {
            throw Refusal("`\(name)` must be text or a list of texts", field: name)
        }
        return texts
    }

    /// Refuses a field that was not read and is not neutral.
    func finish() throws(Refusal) {
        for member in members where !known.contains(member.key) && !isNeutral(member) {
            throw Refusal("this server does not support `\(member.key)`", field: member.key)
        }
    }

    /// Values that ask for what happens anyhow.
    private func isNeutral(_ member: JSON.Member) -> Bool {
        let value = member.value
        if value.isNull { return true }
        switch member.key {
        // Of no meaning to a model.
        case "user", "metadata", "store", "service_tier", "safety_identifier", "prompt_cache_key":
            return true
        case "presence_penalty", "frequency_penalty": return value.double == 0
        case "best_of": return value.integer == 1
        case "logit_bias": return value.members?.isEmpty == true
        case "suffix": return value.string == ""
        case "tools", "functions": return value.elements?.isEmpty == true
        case "tool_choice", "function_call": return ["none", "auto"].contains(value.string)
        case "parallel_tool_calls": return value.bool != nil
        case "response_format": return value["type"]?.string == "text"
        default: return false
        }
    }
}
