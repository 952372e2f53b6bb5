/// Errors of a chat template; every case is a whole sentence.
public enum TemplateError: Error, Hashable, Sendable {
    /// The template itself refuses the conversation, by `raise_exception`: `Conversation roles must
    /// alternate`.
    case refused(message: String)
    /// The syntax of the template is invalid.
    case syntax(line: Int, problem: String)
    /// A part of Jinja that is not supported here.
    case unsupported(line: Int, what: String)
    /// The template applies an operation to a value that does not support it.
    case failed(line: Int, problem: String)
    /// The template exceeds a limit on work or output.
    case tooMuch(line: Int, what: String)
}

extension TemplateError: CustomStringConvertible {
    public var description: String {
        switch self {
        case .refused(let message):
            "the chat template refuses these messages: \(message)"
        case .syntax(let line, let problem):
            "the chat template cannot be read: line \(line): \(problem)"
        case .unsupported(let line, let what):
            "the chat template uses \(what) on line \(line), which is not supported"
        case .failed(let line, let problem):
            "the chat template failed on line \(line): \(problem)"
        case .tooMuch(let line, let what):
            "the chat template was stopped on line \(line): it \(what)"
        }
    }
}
