import JSON

extension TokenizerError: CustomStringConvertible {
    public var description: String {
        switch self {
        case .unreadable(let path, let reason):
            "cannot read \(path): \(reason)"
        case .empty(let path):
            "\(path) is empty; a tokenizer.json was expected"
        case .notJSON(let problem):
            if case .notUTF8 = problem.fault {
                "the tokenizer file is not UTF-8 text; is it a tokenizer.json?"
            } else {
                "the tokenizer file is not valid JSON: \(problem)"
            }
        case .missing(let field):
            "the tokenizer file has no \(field)"
        case .wrongType(let field, let expected, let found):
            "\(field) in the tokenizer file should be \(expected), not \(found)"
        case .unsupported("model", let type, let supported):
            "a tokenizer of type \(quoted(type)) is not supported; \(supported.joined(separator: ", "))"
                + " is: byte-pair encoding, which Llama, Mistral, Qwen and GPT-2 have"
        case .unsupported(let field, let type, let supported):
            "\(field) of type \(quoted(type)) is not supported; these are: "
                + supported.joined(separator: ", ")
        case .unsupportedSetting(let field, let value):
            "\(field) = \(value) in the tokenizer file is not supported"
        case .unknownSetting(let field):
            "\(field) in the tokenizer file is not supported, and ignoring it would change "
                + "the token ids"
        case .badID(let token, let field, let id):
            "token \(quoted(token)) in \(field) has the id \(id); ids are whole numbers from 0 to "
                + "\(Vocabulary.largestID)"
        case .sharedID(let id, let first, let second):
            "tokens \(quoted(first)) and \(quoted(second)) have the same id \(id)"
        case .badMerge(let index, let text):
            "merge \(index) is \(quoted(text)); a merge is two tokens"
        case .unknownMergeToken(let index, let token, let result):
            result
                ? "merge \(index) makes \(quoted(token)), which is not in the vocabulary"
                : "merge \(index) names \(quoted(token)), which is not in the vocabulary"
        case .badPattern(let field, let pattern, let problem):
            "\(field): the pattern \(quoted(pattern)) cannot be used: \(problem)"
        case .badSentencePiece(let problem):
            "the file is not a SentencePiece model that can be used: \(problem)"
        case .unknownConfiguration(let setting):
            "the setting \(quoted(setting)) is not known here and may change the token ids; if it does "
                + "not, remove it from the file"
        case .badConfiguration(let file, let problem):
            "\(file) beside the tokenizer cannot be used: \(problem)"
        case .noTokenizer(let path, let hasVocabulary):
            "\(path) holds neither tokenizer.json nor tokenizer.model"
                + (hasVocabulary
                    ? "; vocab.json and merges.txt alone are not enough: load the tokenizer with "
                        + "transformers' AutoTokenizer and save it with save_pretrained"
                    : "")
        case .noTemplate:
            "the model's directory has no chat template (chat_template.jinja, or chat_template in "
                + "tokenizer_config.json)"
        case .unknownSpecialToken(let token):
            "the post-processor adds \(quoted(token)) but does not give its id"
        case .badVocabularySize(let wanted, let least):
            "a vocabulary of \(wanted) tokens is too small: bytes and special tokens alone take "
                + "\(least)"
        case .duplicateSpecialToken(let token):
            "special token \(quoted(token)) is given twice"
        case .nothingToTrain:
            "there is no text to train a tokenizer on"
        case .stopped:
            "the training of the tokenizer was stopped"
        }
    }

    /// Long or unprintable tokens must not fill a sentence.
    private func quoted(_ text: String) -> String {
        let shown = text.unicodeScalars.prefix(40).map { scalar in
            scalar.properties.generalCategory == .control
                ? scalar.escaped(asASCII: true) : String(scalar)
        }
        return "“" + shown.joined() + (text.unicodeScalars.count > 40 ? "…" : "") + "”"
    }
}
