import Foundation
import Values

extension CommandTable {
    static let loadTokenizerForm = Command.Form(
        "tokenizer", "reads a tokenizer alone", makes: ["tokenizer"],
        operands: [
            .required(
                "path", .path,
                "a tokenizer.json, tokenizer.model or GGUF file, its folder, or a model of the Hub")
        ],
        example: "load tokenizer tokenizer.json", run: loadTokenizer)

    private static func loadTokenizer(_ invocation: Invocation) throws -> CommandResult {
        guard let text = try invocation.text("path") else { return CommandResult() }
        do {
            let (path, shown) = try tokenizerFile(text, invocation.session.directory)
            let tokenizer = try ModelFiles.tokenizer(path, shown: shown)
            return CommandResult("tokenizer", TokenizerObject(tokenizer: tokenizer, origin: shown))
        } catch {
            throw invocation.located(error, at: "path")
        }
    }

    /// The file that a path or a name of the Hub means.
    private static func tokenizerFile(
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
        var isFolder: ObjCBool = false
        guard FileManager.default.fileExists(atPath: source.path, isDirectory: &isFolder),
            isFolder.boolValue
        else { return (source.path, source.shown) }
        let name = ModelFiles.tokenizerName(in: source.path) ?? ModelFiles.tokenizerFile
        return (source.path + "/" + name, source.shown + "/" + name)
    }
}
