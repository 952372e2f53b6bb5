import Alignment
import CommandLanguage
import Tokenizers
import Transformers
import Workspaces

/// From whatever was thrown to what a person reads.
extension Session {
    func failure(
        _ error: any Error, _ statement: Statement, _ source: String, _ origin: Origin
    ) -> Failure {
        if let nested = error as? Failure { return nested }
        if let stopped = error as? StoppedEarly {
            return failure(stopped.complaint, statement, source, origin)
        }
        let placed = error as? PlacedComplaint
        let cause = placed?.complaint ?? error
        let span = placed?.span ?? Session.headSpan(of: statement)
        var diagnostic = Diagnostic(message: Failure.sentence(for: cause), span: span)
        if let complaint = cause as? Complaint {
            diagnostic.suggestion = complaint.suggestion
            if let name = complaint.replacement {
                diagnostic.corrected = CommandTable.vocabulary.correction(
                    of: source, replacing: span, with: name)
            }
        }
        return Failure(
            kind: Failure.kind(of: cause), diagnostic: diagnostic, source: source,
            file: origin.file, width: appearance.columns)
    }

    /// What the caret points at when nothing more is known: the verb, or the expression.
    private static func headSpan(of statement: Statement) -> SourceSpan {
        switch statement.body {
        case .command(let call): call.verb.span
        case .expression(let node): node.span
        }
    }
}

extension Failure {
    /// One sentence without its full stop, as every message here.
    static func sentence(for error: any Error) -> String {
        let cause = cause(of: error)
        if let failure = cause as? Failure { return failure.message }
        var text = "\(cause)"
        if text.hasSuffix("."), !text.hasSuffix("..") { text.removeLast() }
        // Sentences of other modules start with a capital; the ones here follow "error: ".
        if !(cause is Complaint), let first = text.first, first.isUppercase,
            text.dropFirst().first?.isLowercase == true
        {
            text = first.lowercased() + text.dropFirst()
        }
        return text
    }

    /// What is wrong, without the place.
    static func cause(of error: any Error) -> any Error {
        switch error {
        case let stopped as StoppedEarly: cause(of: stopped.complaint)
        case let placed as PlacedComplaint: placed.complaint
        default: error
        }
    }

    static func kind(of error: any Error) -> Kind {
        switch error {
        case let complaint as Complaint: complaint.kind
        case is WorkspaceError: .workspace
        case ModelError.nonFinite, ModelError.logitsNotFinite: .numbers
        case is ModelError, is TokenizerError: .file
        case let error as AlignmentError: error.failureKind
        default: .value
        }
    }
}

extension Complaint {
    fileprivate var kind: Failure.Kind {
        switch self {
        case .unknownName, .noLastResult, .missingNoun, .unknownField, .nothingBound,
            .unknownTopic, .unknownParameter:
            .name
        case .missingFile, .isFolder, .emptyFile, .notReadable, .notWritable, .alreadyThere,
            .badLine, .badFile, .unknownExtension:
            .file
        case .readOnly, .notKept: .workspace
        case .interrupted: .interrupted
        default: .value
        }
    }

    /// The name that stands at the complaint's place in the corrected statement.
    fileprivate var replacement: String? {
        switch self {
        case .unknownName(_, let nearest, let maker): maker == nil ? nearest : nil
        case .unknownField(_, _, let nearest, _), .nothingBound(_, let nearest),
            .unknownTopic(_, let nearest):
            nearest
        default: nil
        }
    }
}

extension AlignmentError {
    fileprivate var failureKind: Failure.Kind {
        switch self {
        case .stopped: .interrupted
        case .scoreNotFinite, .logitsNotFinite, .gradientNotFinite, .weightsNotFinite: .numbers
        default: .value
        }
    }
}
