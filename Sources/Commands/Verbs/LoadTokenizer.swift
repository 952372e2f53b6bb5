import Foundation

extension CommandTable {
    static let loadTokenizerForm = Command.Form(
        "tokenizer", "reads a tokenizer alone", makes: ["tokenizer"],
        operands: [
            .required(
                "path", .path,
                "a tokenizer.json or tokenizer.model, or the folder it is in")
        ],
        example: "load tokenizer tokenizer.json", run: loadTokenizer)

    private static func loadTokenizer(_ invocation: Invocation) throws -> CommandResult {
        guard var shown = try invocation.text("path") else { return CommandResult() }
        var path = Paths.absolute(shown, in: invocation.session.directory)
        var isFolder: ObjCBool = false
        if FileManager.default.fileExists(atPath: path, isDirectory: &isFolder), isFolder.boolValue
        {
            let name = ModelFiles.tokenizerName(in: path) ?? ModelFiles.tokenizerFile
            path += "/" + name
            shown += "/" + name
        }
        do {
            let tokenizer = try ModelFiles.tokenizer(path, shown: shown)
            return CommandResult("tokenizer", TokenizerObject(tokenizer: tokenizer, origin: shown))
        } catch {
            throw invocation.located(error, at: "path")
        }
    }
}
