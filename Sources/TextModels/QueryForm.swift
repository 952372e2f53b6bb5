/// The kinds of query, each with a wording of its own in `Prompts`.
public enum QueryForm: String, Sendable, Codable, CaseIterable {
    /// A post; the response summarizes it.
    case post
    /// A question; the response answers it.
    case question
    /// Text that goes into the prompt unchanged.
    case text
}
