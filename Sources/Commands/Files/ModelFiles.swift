import Alignment
import CommandLanguage
import Foundation
import LongWork
import TextModels
import Tokenizers
import Transformers
import Values
import Workspaces

/// Model directories: Hugging Face's files, and `prompts.json` if a model needs prompts of its own.
enum ModelFiles {
    static let tokenizerFile = "tokenizer.json"
    static let promptsFile = "prompts.json"

    /// Possible places of the shipped model, best first.
    static var defaultDirectories: [String] {
        var folders: [String] = []
        if let named = ProcessInfo.processInfo.environment["SAMI_MODELS"], !named.isEmpty {
            folders.append((named as NSString).appendingPathComponent("tiny"))
            folders.append(named)
        }
        // bin/sami beside share/sami, and a build folder inside the package.
        var folder = (executable as NSString).deletingLastPathComponent
        let installed = (folder as NSString).deletingLastPathComponent
        folders.append(installed + "/share/sami/models/tiny")
        for _ in 0..<5 {
            folders.append(folder + "/models/tiny")
            folder = (folder as NSString).deletingLastPathComponent
        }
        folders.append(packageRoot + "/models/tiny")
        return folders
    }

    /// The folder of the shipped model; nil if it is missing.
    static var defaultDirectory: String? {
        defaultDirectories.first {
            FileManager.default.fileExists(atPath: $0 + "/" + ModelDirectory.configurationFile)
        }
    }

    private static var executable: String {
        (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe"))
            ?? CommandLine.arguments.first ?? ""
    }

    /// The package that this program was built from; it exists in development and in tests.
    private static var packageRoot: String {
        var path = #filePath
        for _ in 0..<4 { path = (path as NSString).deletingLastPathComponent }
        return path
    }

    static func load(_ directory: String, shown: String) throws -> ModelObject {
        let model = try ModelDirectory.load(directory)
        let text = try textFiles(directory, shown: shown)
        let promptsPath = directory + "/" + promptsFile
        var prompts = text?.templates.isEmpty ?? true ? Prompts.general : .chat
        if FileManager.default.fileExists(atPath: promptsPath) {
            prompts = try PromptFiles.read(promptsPath, shown: shown + "/" + promptsFile)
        }
        return ModelObject(
            model: model, tokenizer: text?.tokenizer, prompts: prompts, origin: shown,
            directory: text)
    }

    /// The file that a model directory's tokenizer is read from, best first.
    static func tokenizerName(in directory: String) -> String? {
        [tokenizerFile, "tokenizer.model"].first {
            FileManager.default.fileExists(atPath: directory + "/" + $0)
        }
    }

    private static func textFiles(
        _ directory: String, shown: String
    ) throws -> TokenizerDirectory? {
        guard TokenizerDirectory.isPresent(in: directory) else { return nil }
        do {
            return try TokenizerDirectory(directory)
        } catch {
            throw EvaluationError.badFile(path: shown, problem: ErrorSentence.of(error))
        }
    }

    static func tokenizer(_ path: String, shown: String) throws -> Tokenizer {
        // Throws a sentence about the fault of the file itself.
        _ = try FileReading.data(path, shown: shown)
        do {
            return try Tokenizer(file: path)
        } catch {
            throw EvaluationError.badFile(path: shown, problem: ErrorSentence.of(error))
        }
    }

    /// Writes a directory that this program and others can load.
    static func write(
        _ object: ModelObject, to directory: String, shown: String, watch: Watch
    ) throws {
        try ModelDirectory.write(object.model, to: directory, watch: watch)
        for (name, data) in object.directory?.files ?? [:] {
            let path = directory + "/" + name
            try? FileManager.default.createDirectory(
                atPath: (path as NSString).deletingLastPathComponent,
                withIntermediateDirectories: true)
            try FileWriting.write(data, to: path, shown: shown + "/" + name)
        }
        if let tokenizer = object.tokenizer, object.directory == nil {
            try FileWriting.write(
                Data(tokenizer.json.utf8), to: directory + "/" + tokenizerFile,
                shown: shown + "/" + tokenizerFile)
        }
        try FileWriting.write(
            Data(try PromptFiles.json(object.prompts).utf8), to: directory + "/" + promptsFile,
            shown: shown + "/" + promptsFile)
    }
}
