import Alignment
import CommandLanguage
import Commands
import Files
import HDF5Objects
import Tokenizers
import Transformers
import Values
import Workspaces

/// Turns thrown errors into the text that users read.
extension Session {
    func failure(
        _ error: any Error, _ statement: Statement, _ program: Program
    ) -> Failure {
        if let nested = error as? Failure { return nested }
        if let stopped = error as? StoppedEarly {
            return failure(stopped.error, statement, program)
        }
        let located = error as? LocatedError
        let cause = located?.error ?? error
        let span = located?.span ?? Session.headSpan(of: statement)
        var diagnostic = Diagnostic(message: Failure.sentence(for: cause), span: span)
        if let error = cause as? EvaluationError {
            diagnostic.suggestion = error.suggestion
            if let name = error.replacement {
                diagnostic.corrected = CommandTable.grammar.correction(
                    of: statement, in: program.source, replacing: span, with: name)
            }
        }
        return Failure(
            kind: Failure.kind(of: cause), diagnostic: diagnostic, source: program.source,
            origin: program.origin, width: appearance.columns)
    }

    /// The place for the caret if no other place is known: the verb, or the expression.
    private static func headSpan(of statement: Statement) -> SourceSpan {
        switch statement.body {
        case .command(let call): call.verb.span
        case .expression(let node): node.span
        case .loop(let loop): loop.list.span
        case .choice(let choice): choice.branches.first?.condition.span ?? statement.span
        case .function(let function): function.body.span
        }
    }
}

extension Failure {
    /// One sentence without its full stop.
    static func sentence(for error: any Error) -> String {
        let cause = ErrorSentence.cause(of: error)
        return (cause as? Failure)?.message ?? ErrorSentence.of(cause)
    }

    static func kind(of error: any Error) -> Kind {
        switch error {
        case let error as EvaluationError: error.kind
        case is WorkspaceError, is ObjectError: .workspace
        case ModelError.nonFinite, ModelError.logitsNotFinite: .numbers
        case is ModelError, is TokenizerError, is FileError: .file
        case let error as AlignmentError: error.failureKind
        default: .value
        }
    }
}

extension EvaluationError {
    fileprivate var kind: Failure.Kind {
        switch self {
        case .unknownName, .noLastResult, .missingObject, .unknownField, .nothingBound,
            .unknownTopic, .unknownParameter, .unknownFunction, .unknownItem, .unknownKey:
            .name
        case .missingFile, .isFolder, .emptyFile, .notReadable, .notWritable, .alreadyThere,
            .badLine, .badFile, .unknownExtension:
            .file
        case .readOnly, .notKept: .workspace
        case .interrupted: .interrupted
        default: .value
        }
    }

    /// The name at the error's place in the corrected statement.
    fileprivate var replacement: String? {
        switch self {
        case .unknownName(_, let nearest, let maker): maker == nil ? nearest : nil
        case .unknownField(_, _, let nearest, _), .nothingBound(_, let nearest),
            .unknownTopic(_, let nearest), .unknownFunction(_, let nearest):
            nearest
        case .unknownItem(_, _, let nearest, _), .unknownKey(_, let nearest, _):
            nearest.map { Value.text($0).json }
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
