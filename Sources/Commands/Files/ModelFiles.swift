import Alignment
import CommandLanguage
import Foundation
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
        var prompts = Prompts.general
        if FileManager.default.fileExists(atPath: promptsPath) {
            prompts = try ModelFiles.prompts(promptsPath, shown: shown + "/" + promptsFile)
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

    /// Templates from a `prompts.json`, or from a folder with `rollout.txt`, `training.txt` and
    /// `writer.txt`. Each replaces the general template.
    static func prompts(_ path: String, shown: String) throws -> Prompts {
        var isFolder: ObjCBool = false
        if FileManager.default.fileExists(atPath: path, isDirectory: &isFolder), isFolder.boolValue
        {
            return try prompts(folder: path, shown: shown)
        }
        let data = try FileReading.data(path, shown: shown)
        do {
            return try JSONDecoder().decode(Prompts.self, from: data)
        } catch let error as DecodingError {
            throw EvaluationError.badFile(path: shown, problem: sentence(error))
        } catch {
            throw EvaluationError.badFile(path: shown, problem: ErrorSentence.of(error))
        }
    }

    private static func prompts(folder: String, shown: String) throws -> Prompts {
        var prompts = Prompts.general
        var found = 0
        let files: [(String, WritableKeyPath<Prompts, PromptTemplate>)] = [
            ("rollout.txt", \.rollout), ("training.txt", \.training), ("writer.txt", \.writer),
        ]
        for (name, place) in files {
            let path = folder + "/" + name
            guard FileManager.default.fileExists(atPath: path) else { continue }
            let shown = shown + "/" + name
            let text = String(decoding: try FileReading.data(path, shown: shown), as: UTF8.self)
            do {
                prompts[keyPath: place] = try PromptTemplate(
                    file: text, for: prompts[keyPath: place].purpose)
            } catch {
                throw EvaluationError.badFile(path: shown, problem: ErrorSentence.of(error))
            }
            found += 1
        }
        guard found > 0 else {
            throw EvaluationError.badFile(
                path: shown, problem: "it holds no rollout.txt, training.txt or writer.txt")
        }
        return prompts
    }

    private static func sentence(_ error: DecodingError) -> String {
        switch error {
        case .keyNotFound(let key, _): "the field \"\(key.stringValue)\" is missing"
        case .typeMismatch(_, let context), .valueNotFound(_, let context),
            .dataCorrupted(let context):
            context.codingPath.isEmpty
                ? "it is not JSON"
                : "the field \"" + context.codingPath.map(\.stringValue).joined(separator: ".")
                    + "\" is of the wrong kind"
        @unknown default: "it cannot be read"
        }
    }

    /// Writes a directory that this program and others can load.
    static func write(_ object: ModelObject, to directory: String, shown: String) throws {
        try ModelDirectory.write(object.model, to: directory)
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
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        try FileWriting.write(
            try encoder.encode(object.prompts), to: directory + "/" + promptsFile,
            shown: shown + "/" + promptsFile)
    }
}
