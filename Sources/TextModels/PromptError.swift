/// Faults of a prompt template. Lines are counted from 1.
public enum PromptError: Error, Sendable, Hashable {
    case unknownGap(String, known: [String], line: Int)
    case unpairedBrace(line: Int)
    /// None of these gaps is in the template, and at least one is required.
    case missingGap([String])
}

extension PromptError: CustomStringConvertible {
    public var description: String {
        switch self {
        case .unknownGap(let name, let known, let line):
            "Line \(line) of the template has the gap {\(name)}; what can be filled in is "
                + known.map { "{\($0)}" }.joined(separator: ", ")
                + ". A brace itself is written {{."
        case .unpairedBrace(let line):
            "Line \(line) of the template has a brace without its partner; "
                + "a brace itself is written {{ or }}."
        case .missingGap(let names):
            "The template does not say where "
                + "\(names.map { "{\($0)}" }.joined(separator: " or ")) goes."
        }
    }
}
