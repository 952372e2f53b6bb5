/// Special tokens around an encoded text.
protocol PostProcessor: Sendable {
    var before: [Int32] { get }
    var after: [Int32] { get }
}

/// Tokens before and after every text.
struct SurroundingTokens: PostProcessor {
    let before: [Int32]
    let after: [Int32]
}

/// Makes a post-processor from its JSON.
func makePostProcessor(_ field: Field) throws -> any PostProcessor {
    let type = try field.string("type")
    switch type {
    case "TemplateProcessing": return try TemplateProcessing(field)
    case "ByteLevel":
        // This one trims offsets, which this module does not keep.
        try field.allow("type", "add_prefix_space", "trim_offsets", "use_regex")
        return SurroundingTokens(before: [], after: [])
    case "RobertaProcessing", "BertProcessing":
        try field.allow("type", "sep", "cls", "trim_offsets", "add_prefix_space")
        return SurroundingTokens(
            before: [try token(field.required("cls"))], after: [try token(field.required("sep"))])
    case "Sequence":
        try field.allow("type", "processors")
        let steps = try field.required("processors").elements().map(makePostProcessor)
        return SurroundingTokens(
            before: steps.reversed().flatMap(\.before), after: steps.flatMap(\.after))
    default:
        throw TokenizerError.unsupported(
            field: field.path, type: type,
            supported: [
                "TemplateProcessing", "ByteLevel", "RobertaProcessing", "BertProcessing",
                "Sequence",
            ])
    }
}

/// The id of a token that is given as `["</s>", 2]`.
private func token(_ field: Field) throws -> Int32 {
    let parts = try field.elements()
    guard parts.count == 2 else { throw field.wrongType("a token and its id") }
    return Int32(try parts[1].id(of: parts[0].string()))
}
