import Files

/// Faults of a model, of its files, or of a request to it.
public enum ModelError: Error, Equatable, Sendable {
    case badConfiguration(file: String, problem: String)
    case unknownFamily(String, known: [String])
    case unreadable(file: String, problem: String)
    case unwritable(file: String, problem: String)
    case badTensorFile(file: String, problem: String)
    case pickle(file: String)
    case unreadTensorType(file: String, name: String, type: String)
    case missingTensor(file: String, name: String, shape: [Int])
    case misshapenTensor(file: String, name: String, wanted: [Int], found: [Int])
    case extraTensor(file: String, name: String)
    case emptySequence
    case tooLong(tokens: Int, context: Int)
    case tokenOutsideVocabulary(Int32, vocabulary: Int)
    case targetOutsideForest(row: Int, rows: Int)
    case wrongCoefficients(found: Int, wanted: Int)
    case doesNotFit(needed: Int, available: Int)
    case badSetting(name: String, value: String, allowed: String)
    case nonFinite(what: String)
    /// In generation; requests are counted from 0.
    case logitsNotFinite(request: Int)
}

extension ModelError: CustomStringConvertible {
    public var description: String {
        switch self {
        case .badConfiguration(let file, let problem): "\(file): \(problem)."
        case .unknownFamily(let name, let known):
            "Models of type \"\(name)\" are not supported. Supported types: "
                + known.joined(separator: ", ") + "."
        case .unreadable(let file, let problem): "\(file) cannot be read: \(problem)."
        case .unwritable(let file, let problem): "\(file) cannot be written: \(problem)."
        case .badTensorFile(let file, let problem):
            "\(file) is not a valid safetensors file: \(problem)."
        case .pickle(let file):
            """
            \(file) is a pickle file. Opening it would run its author's code, so sami refuses it. \
            If you trust the file, convert it with Python's transformers: \
            AutoModelForCausalLM.from_pretrained(DIR).save_pretrained(NEW_DIR).
            """
        case .unreadTensorType(let file, let name, let type):
            "\(file): tensor \"\(name)\" has type \(type); supported types are F32, F16 and BF16."
        case .missingTensor(let file, let name, let shape):
            "\(file) has no tensor \"\(name)\"; the model needs one of shape \(shape)."
        case .misshapenTensor(let file, let name, let wanted, let found):
            "\(file): tensor \"\(name)\" has shape \(found); the configuration asks for \(wanted)."
        case .extraTensor(let file, let name):
            "\(file) holds a tensor \"\(name)\" that this kind of model does not have."
        case .emptySequence: "There is no token to start from: the text is empty."
        case .tooLong(let tokens, let context):
            "A sequence of \(tokens) tokens does not fit the model's context of \(context)."
        case .tokenOutsideVocabulary(let token, let vocabulary):
            "Token \(token) is outside the model's vocabulary of \(vocabulary): the tokenizer probably belongs to another model."
        case .targetOutsideForest(let row, let rows):
            "Row \(row) is to be scored, but the batch has \(rows) rows."
        case .wrongCoefficients(let found, let wanted):
            "\(found) gradient coefficients were given for \(wanted) scored tokens."
        case .doesNotFit(let needed, let available):
            "This needs about \(megabytes(needed)) of memory, but the limit is \(megabytes(available))."
        case .badSetting(let name, let value, let allowed):
            "\(name)=\(value) is not possible: \(allowed)."
        case .nonFinite(let what): "\(what) is not a finite number."
        case .logitsNotFinite(let request):
            "Text \(request + 1): the model's logits are not finite numbers."
        }
    }

    private func megabytes(_ bytes: Int) -> String { "\((bytes + 999_999) / 1_000_000) MB" }
}

extension ModelError {
    init(_ error: FileError) {
        switch error.action {
        case .read: self = .unreadable(file: error.path, problem: "\(error.reason)")
        case .write: self = .unwritable(file: error.path, problem: "\(error.reason)")
        }
    }
}
