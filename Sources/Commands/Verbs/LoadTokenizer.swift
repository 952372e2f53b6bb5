import CommandLanguage
import Files
import Foundation
import Values

extension CommandTable {
    static let loadTokenizerForm = Command.Form(
        "tokenizer", "reads a tokenizer alone", makes: ["tokenizer"],
        operands: [
            .required(
                "path", .either([Choice("default", "the shipped model's")], .path),
                "a tokenizer.json, tokenizer.model or GGUF file, a folder, or a model of the Hub")
        ],
        example: "load tokenizer tokenizer.json", run: loadTokenizer)

    private static func loadTokenizer(_ invocation: Invocation) throws -> CommandResult {
        guard let text = try invocation.text("path") else { return CommandResult() }
        do {
            let (path, shown) =
                try invocation.word(invocation.argument("path")) == "default"
                ? (ModelFiles.shipped(), text)
                : tokenizerSource(text, invocation.session.directory)
            if FileSystem.kind(of: path) == .folder {
                let directory = try ModelFiles.tokenizerDirectory(path, shown: shown)
                invocation.noteFiles(of: path)
                return CommandResult(
                    "tokenizer", TokenizerObject(directory: directory, origin: shown))
            }
            let tokenizer = try ModelFiles.tokenizer(path, shown: shown)
            return CommandResult("tokenizer", TokenizerObject(tokenizer: tokenizer, origin: shown))
        } catch {
            throw invocation.located(error, at: "path")
        }
    }

    /// The file or folder that a path or a name of the Hub means.
    private static func tokenizerSource(
        _ text: String, _ directory: String
    ) throws -> (path: String, shown: String) {
        guard let source = try ModelSource(text, for: .tokenizer, in: directory) else {
            if text == "smollm2", let file = SmolLM2.file { return (file, text) }
            if let name = hubName(text, in: directory) {
                throw EvaluationError.other(
                    "there is no file \(text) here, and the cache of the Hugging Face Hub does not "
                        + "hold that model",
                    suggestion: name.download)
            }
            return (Paths.absolute(text, in: directory), text)
        }
        return (source.path, source.shown)
    }
}
