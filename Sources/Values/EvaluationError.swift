import CommandLanguage

/// All faults of a statement after parsing. `EvaluationErrorSentences.swift` turns them into
/// sentences.
package enum EvaluationError: Error, Equatable {
    // Names
    case unknownName(String, nearest: String?, maker: String?)
    case noLastResult
    case missingObject(String, verb: String, maker: String?)
    case unknownField(String, owner: String, nearest: String?, fields: [String])
    case nothingBound(String, nearest: String?)
    case unknownTopic(String, nearest: String?)

    // Indexes and shapes
    case indexOutOfRange(index: Int, count: Int, what: String)
    /// A text in brackets that is no field of a record.
    case unknownKey(String, nearest: String?, keys: [String])
    case unknownItem(String, owner: String, nearest: String?, example: String?)
    case zeroStep
    case tooManySubscripts(given: Int, shape: [Int])
    case notIndexable(String)
    case notWhole(role: String, found: String)
    case shapesDiffer(operation: String, [Int], [Int])
    case productShapes([Int], [Int])
    case axisOutOfRange(axis: Int, shape: [Int])
    case reshapeCount(from: [Int], to: [Int])
    case raggedList
    case tooLarge([Int])
    case tooLong(Int)

    // Kinds and ranges
    case badOperands(operation: String, String, String)
    case listArithmetic(operation: String, String)
    case wrongKind(role: String, expected: String, found: String)
    case outOfRange(role: String, rule: String, found: String)
    case notATruthValue(String)
    case missingArgument(function: String, parameter: String)
    case tooManyArguments(function: String, most: Int)
    case unknownParameter(function: String, key: String, parameters: [String], nearest: String?)
    case emptyReduction(String)
    case divisionByZero
    /// A part that is computed, or that nobody may set, and the fields that can be replaced.
    case notReplaceable(String, fields: [String])

    // Files
    case missingFile(String, nearest: String?)
    case isFolder(String)
    case emptyFile(String)
    case notReadable(String, reason: String)
    case notWritable(String, reason: String)
    case alreadyThere(String)
    case badLine(path: String, line: Int, problem: String)
    case badFile(path: String, problem: String)
    case unknownExtension(String, kind: String, known: [String])

    // Session
    case readOnly
    case interrupted(String)
    case tooMuchWork(String)
    /// An error inside of a user's function.
    case inFunction(String, String)
    case unknownFunction(String, nearest: String?)
    case notKept(name: String, reason: String)

    /// A sentence from another module, with its remedy if there is one.
    case other(String, suggestion: String? = nil)
}

/// An error at a place of the statement.
package struct LocatedError: Error {
    package var error: any Error
    package var span: SourceSpan

    package init(error: any Error, span: SourceSpan) {
        self.error = error
        self.span = span
    }
}
