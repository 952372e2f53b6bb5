import Values

/// The sentence that a user reads for an error of any module.
package enum ErrorSentence {
    /// One sentence without its full stop, as in every message of a statement.
    package static func of(_ error: any Error) -> String {
        let cause = cause(of: error)
        var text = "\(cause)"
        // These sentences have no full stop, so a dot at their end is the user's.
        if cause is EvaluationError { return text }
        if text.hasSuffix("."), !text.hasSuffix("..") { text.removeLast() }
        // Sentences of other modules start with a capital letter; sentences here follow "error: ".
        if let first = text.first, first.isUppercase,
            text.dropFirst().first?.isLowercase == true
        {
            text = first.lowercased() + text.dropFirst()
        }
        return text
    }

    /// The error itself, without its place in the statement.
    package static func cause(of error: any Error) -> any Error {
        switch error {
        case let stopped as StoppedEarly: cause(of: stopped.error)
        case let located as LocatedError: located.error
        default: error
        }
    }
}
