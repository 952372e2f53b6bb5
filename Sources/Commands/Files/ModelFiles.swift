import Alignment
import CommandLanguage
import Foundation
import GGUF
import LongWork
import NumberTypes
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

    /// The folder of the shipped model.
    ///
    /// - Throws: if it is missing.
    static func shipped() throws(EvaluationError) -> String {
        guard let folder = defaultDirectory else {
            throw .other(
                "the model that ships with sami is missing",
                suggestion: "set SAMI_MODELS to its folder")
        }
        return folder
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

    /// Whether a path names a file that is read as GGUF: by its name or its first bytes.
    static func isGGUF(_ path: String) -> Bool {
        var isFolder: ObjCBool = false
        guard FileManager.default.fileExists(atPath: path, isDirectory: &isFolder),
            !isFolder.boolValue
        else { return false }
        return path.lowercased().hasSuffix(".gguf") || GGUFFile.isPresent(at: path)
    }

    /// A model with its tokenizer and chat template from one file. Quantized weights become
    /// `format`; for nil Q8_0 stays, and others become bfloat16. See `GGUFModel.load`.
    static func load(
        gguf path: String, shown: String, as format: StoredFormat?, watch: Watch
    ) throws -> ModelObject {
        let file = try GGUFFile(path: path, shownAs: shown)
        let source = try GGUFModel(file)
        let text = try textFiles(file)
        var type: DType?
        if case .plain(let plain) = format { type = plain }
        let widened = type ?? .bfloat16
        var model = try source.load(as: type, widened: widened, watch: watch)
        if let format { model = model.converted(to: format) }
        let kept = Set(model.parameters.tensors.map(\.format.name))
        let types = source.quantizedTypes
        let (same, changed) = (types.filter(kept.contains), types.filter { !kept.contains($0) })
        var origin = shown
        if !same.isEmpty { origin += ", \(listed(same)) as stored" }
        if !changed.isEmpty { origin += ", \(listed(changed)) as \((format ?? .bfloat16).name)" }
        return ModelObject(
            model: model, tokenizer: text?.tokenizer, prompts: usualPrompts(text), origin: origin,
            directory: text)
    }

    /// `Q4_1 and Q8_0`: types bear no quotes, as `Sentence.list` would give them.
    private static func listed(_ names: [String]) -> String {
        guard let last = names.last, names.count > 1 else { return names.first ?? "" }
        return names.dropLast().joined(separator: ", ") + " and " + last
    }

    /// A model in a folder; `format` converts its weights.
    static func load(
        _ directory: String, shown: String, as format: StoredFormat? = nil
    ) throws -> ModelObject {
        let model = try ModelDirectory.load(directory, as: format)
        let text = try textFiles(directory, shown: shown)
        let promptsPath = directory + "/" + promptsFile
        var prompts = usualPrompts(text)
        if FileManager.default.fileExists(atPath: promptsPath) {
            prompts = try PromptFiles.read(promptsPath, shown: shown + "/" + promptsFile)
        }
        return ModelObject(
            model: model, tokenizer: text?.tokenizer, prompts: prompts, origin: shown,
            directory: text)
    }

    /// The form of the prompts of a model without a prompts.json.
    private static func usualPrompts(_ text: TokenizerDirectory?) -> Prompts {
        text?.templates.isEmpty ?? true ? .general : .chat
    }

    private static func textFiles(
        _ directory: String, shown: String
    ) throws -> TokenizerDirectory? {
        guard TokenizerDirectory.isPresent(in: directory) else { return nil }
        return try tokenizerDirectory(directory, shown: shown)
    }

    /// A folder's tokenizer, as the model in the folder has it.
    static func tokenizerDirectory(
        _ directory: String, shown: String
    ) throws -> TokenizerDirectory {
        do {
            return try TokenizerDirectory(directory)
        } catch {
            throw EvaluationError.badFile(path: shown, problem: ErrorSentence.of(error))
        }
    }

    /// The tokenizer of a GGUF file; nil if it has none.
    private static func textFiles(_ file: GGUFFile) throws -> TokenizerDirectory? {
        do {
            return try TokenizerDirectory(gguf: file)
        } catch let error as TokenizerError {
            throw EvaluationError.badFile(path: file.file, problem: ErrorSentence.of(error))
        }
    }

    static func tokenizer(_ path: String, shown: String) throws -> Tokenizer {
        if isGGUF(path) {
            let file = try GGUFFile(path: path, shownAs: shown)
            guard let text = try textFiles(file) else {
                throw file.refusal("it holds no tokenizer")
            }
            return text.tokenizer
        }
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
        _ object: ModelObject, to directory: String, watch: Watch
    ) throws {
        var others = object.directory?.files ?? [:]
        if let tokenizer = object.tokenizer, object.directory == nil {
            others[tokenizerFile] = Data(tokenizer.json.utf8)
        }
        others[promptsFile] = Data(try PromptFiles.json(object.prompts).utf8)
        try ModelDirectory.write(object.model, to: directory, beside: others, watch: watch)
    }
}
