import CommandLanguage
import JSON
import Rendering
import Tokenizers
import Values
import Worlds

extension CommandTable {
    static let trainTokenizerForm = Command.Form(
        "tokenizer", "learns a byte-level tokenizer from text", makes: ["tokenizer"],
        operands: [
            .optional(
                "path", .path, "a JSON Lines file; default: the shipped world")
        ],
        options: [
            OptionSpecification("vocabulary", .number, "number of tokens; default: 1024"),
            OptionSpecification("field", .word, "the field of a line; default: text"),
            OptionSpecification("documents", .number, "documents of the world; default: 20,000"),
            OptionSpecification(
                "minimum_frequency", .number,
                "rarer pairs are not merged; default: 0"),
            OptionSpecification("seed", .number, "selects the documents; default: 0"),
        ],
        example: "train tokenizer vocabulary=300 documents=50", run: trainTokenizer)

    private static func trainTokenizer(_ invocation: Invocation) throws -> CommandResult {
        let size = try invocation.integer("vocabulary", atLeast: 1, atMost: 1 << 24) ?? 1024
        let least = try invocation.integer("minimum_frequency", atLeast: 0) ?? 0
        var meter = invocation.meter("train tokenizer")
        defer { meter.finish() }
        let texts: any Sequence<String>
        let origin: String
        if invocation.has("path") {
            let field = try invocation.text("field") ?? "text"
            let file = try invocation.records("path")
            texts = try fieldTexts(field, file, invocation)
            origin = "learned from \(file.shown)"
        } else {
            let count =
                try invocation.integer("documents", atLeast: 1, atMost: 100_000_000) ?? 20_000
            let seed = UInt64(try invocation.integer("seed", atLeast: 0, atMost: 1 << 53) ?? 0)
            texts = (0..<count).lazy.map { World.everyday.document(seed: seed, index: $0).text }
            origin = "learned from \(NumberText.grouped(count)) documents of the shipped world"
        }
        func learn(_ texts: some Sequence<String>) throws -> Tokenizer {
            try BytePairTrainer(vocabularySize: size, minimumFrequency: least).train(texts) {
                step in
                meter.update(step.tokensMade, of: size, unit: "tokens")
                return !invocation.isInterrupted
            }
        }
        let tokenizer = try learn(texts)
        var notes: [String] = []
        if tokenizer.vocabularySize < size {
            notes.append("the texts have pairs for \(tokenizer.vocabularySize) tokens only")
        }
        return CommandResult(
            "tokenizer", TokenizerObject(tokenizer: tokenizer, origin: origin), notes: notes)
    }

    /// The values of one text field, line by line.
    static func fieldTexts(
        _ field: String, _ file: RecordLines, _ invocation: Invocation
    ) throws -> [String] {
        var texts: [String] = []
        do throws(EvaluationError) {
            for line in file.lines {
                guard let text = try file.text(field, line) else {
                    let near = nearest(field, in: line.record.keys).map {
                        "; did you mean `\($0)`?"
                    }
                    throw file.bad(line, "the field `\(field)` is missing\(near ?? "")")
                }
                texts.append(text)
            }
            if let first = file.lines.first, texts.allSatisfy(\.isEmpty) {
                throw file.bad(first, "`\(field)` is empty, here and in every line after it")
            }
        } catch {
            throw invocation.located(error, at: "path")
        }
        return texts
    }
}
