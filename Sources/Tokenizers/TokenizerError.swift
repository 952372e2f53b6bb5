import JSON

/// Faults of a tokenizer file or a training request. `TokenizerError+Sentences.swift` turns each
/// case into a sentence.
public enum TokenizerError: Error, Hashable, Sendable {
    case unreadable(path: String, reason: String)
    case empty(path: String)
    case notJSON(JSON.Problem)
    case missing(field: String)
    case wrongType(field: String, expected: String, found: String)
    case unsupported(field: String, type: String, supported: [String])
    case unsupportedSetting(field: String, value: String)
    case unknownSetting(field: String)
    case badID(token: String, field: String, id: String)
    case sharedID(id: Int, first: String, second: String)
    case badMerge(index: Int, text: String)
    case unknownMergeToken(index: Int, token: String, result: Bool)
    case badPattern(field: String, pattern: String, problem: String)
    case badSentencePiece(problem: String)
    case unknownConfiguration(setting: String)
    case badConfiguration(file: String, problem: String)
    case noTokenizer(path: String, hasVocabulary: Bool)
    case noTemplate
    case unknownSpecialToken(token: String)
    case badVocabularySize(wanted: Int, least: Int)
    case duplicateSpecialToken(token: String)
    case nothingToTrain
    case stopped
}
