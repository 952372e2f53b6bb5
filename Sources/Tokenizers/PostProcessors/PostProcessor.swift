/// Special tokens around an encoded text.
protocol PostProcessor: Sendable {
    func apply(_ ids: [Int32]) -> [Int32]
}

/// Makes a post-processor from its JSON.
func makePostProcessor(_ field: Field) throws -> any PostProcessor {
    let type = try field.string("type")
    switch type {
    case "TemplateProcessing": return try TemplateProcessing(field)
    case "ByteLevel":
        // This one trims offsets, which this module does not keep.
        try field.allow("type", "add_prefix_space", "trim_offsets", "use_regex")
        return PostProcessorSequence(steps: [])
    case "Sequence":
        try field.allow("type", "processors")
        return PostProcessorSequence(
            steps: try field.required("processors").elements().map(makePostProcessor))
    default:
        throw TokenizerError.unsupported(
            field: field.path, type: type,
            supported: ["TemplateProcessing", "ByteLevel", "Sequence"])
    }
}

struct PostProcessorSequence: PostProcessor {
    let steps: [any PostProcessor]

    func apply(_ ids: [Int32]) -> [Int32] {
        steps.reduce(ids) { $1.apply($0) }
    }
}
