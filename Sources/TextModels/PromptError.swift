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
            "Line \(line) of the template has the unknown placeholder {\(name)}; the placeholders are "
                + known.map { "{\($0)}" }.joined(separator: ", ")
                + ". For a brace in the text write {{."
        case .unpairedBrace(let line):
            "Line \(line) of the template has an unpaired brace; "
                + "for a brace in the text write {{ or }}."
        case .missingGap(let names):
            "The template needs the placeholder "
                + names.map { "{\($0)}" }.joined(separator: " or ") + "."
        }
    }
}
