import CommandLanguage
import Foundation
import Values

/// The models of the Hugging Face Hub that other programs have downloaded: folders
/// `models--OWNER--NAME` with `refs` (the commit of each branch and tag) and `snapshots` (a folder
/// of links for each commit). Nothing is downloaded here.
struct HubCache {
    let folder: String

    /// The cache of the environment, by the rules of huggingface_hub.
    init(_ environment: [String: String] = ProcessInfo.processInfo.environment) {
        func value(_ name: String) -> String? {
            environment[name].flatMap { $0.isEmpty ? nil : Paths.absolute($0, in: "/") }
        }
        let home = environment["HOME"] ?? NSHomeDirectory()
        let caches = value("XDG_CACHE_HOME") ?? home + "/.cache"
        folder =
            value("HF_HUB_CACHE") ?? value("HUGGINGFACE_HUB_CACHE")
            ?? (value("HF_HOME") ?? caches + "/huggingface") + "/hub"
    }

    /// A model's name on the Hub, with a branch, a tag or the start of a commit.
    struct Name: Equatable {
        /// `OWNER/NAME`, or `NAME` alone for models of the first years.
        var model: String
        var revision: String?

        /// Nil if the text cannot be such a name.
        init?(_ text: String) {
            let parts = text.split(
                separator: "@", maxSplits: 1, omittingEmptySubsequences: false)
            let names = parts[0].split(separator: "/", omittingEmptySubsequences: false)
            let isName = { (name: Substring) in
                name.first.map { $0.isLetter || $0.isNumber } == true
                    && name.allSatisfy {
                        $0.isASCII && ($0.isLetter || $0.isNumber || "._-".contains($0))
                    }
            }
            guard (1...2).contains(names.count), names.allSatisfy(isName) else { return nil }
            model = String(parts[0])
            guard parts.count == 2 else { return }
            let revision = String(parts[1])
            guard !revision.isEmpty, !revision.hasPrefix("/"), !revision.contains("..") else {
                return nil
            }
            self.revision = revision
        }

        /// The name of a folder in the cache: `models--OWNER--NAME`.
        init?(folder: String) {
            guard folder.hasPrefix("models--") else { return nil }
            let name = String(folder.dropFirst("models--".count))
                .replacing("--", with: "/", maxReplacements: 1)
            guard Name(name) != nil else { return nil }
            model = name
        }

        var folder: String { "models--" + model.replacing("/", with: "--") }

        /// The command that brings the model.
        var download: String {
            "in a shell: hf download \(model)" + (revision.map { " --revision \($0)" } ?? "")
        }
    }

    /// A folder with a model's files, and its commit.
    struct Snapshot: Equatable {
        var path: String
        var commit: String
    }

    /// The snapshot of a name; nil if the cache does not hold the model. Throws a sentence if it
    /// holds other revisions alone.
    func snapshot(_ name: Name) throws(EvaluationError) -> Snapshot? {
        try Self.snapshot(name, in: folder + "/" + name.folder)
    }

    /// The snapshot in a model's folder of any cache.
    static func snapshot(
        _ name: Name, in folder: String
    ) throws(EvaluationError) -> Snapshot? {
        guard isFolder(folder) else { return nil }
        let commits = names(in: folder + "/snapshots").filter {
            isFolder(folder + "/snapshots/" + $0)
        }
        func found(_ commit: String) -> Snapshot {
            Snapshot(path: folder + "/snapshots/" + commit, commit: commit)
        }
        guard !commits.isEmpty else {
            throw .other(
                "the cache of the Hub has a folder for \(name.model), but no files in it",
                suggestion: name.download)
        }
        let wanted = name.revision ?? "main"
        if let commit = reference(wanted, in: folder) {
            guard commits.contains(commit) else {
                throw .other(
                    "the cache of the Hub knows \(wanted) of \(name.model) as commit "
                        + "\(commit.prefix(8)), but does not hold its files",
                    suggestion: name.download)
            }
            return found(commit)
        }
        if name.revision != nil {
            let matching = commits.filter { $0.hasPrefix(wanted) }
            if matching.count == 1 { return found(matching[0]) }
        } else if commits.count == 1 {
            return found(commits[0])
        }
        let known = (names(in: folder + "/refs") + commits.map { String($0.prefix(8)) })
        throw .other(
            "the cache of the Hub does not hold revision \(wanted) of \(name.model); it holds "
                + known.joined(separator: ", "),
            suggestion: "name one, as in \(name.model)@\(known[0]), or "
                + name.download)
    }

    /// The model that a path into a cache means: a model's folder, its `snapshots`, or the whole
    /// cache. Nil for other paths.
    static func model(at path: String) throws(EvaluationError) -> (Name, Snapshot)? {
        let path =
            (path as NSString).lastPathComponent == "snapshots"
            ? (path as NSString).deletingLastPathComponent : path
        if let name = Name(folder: (path as NSString).lastPathComponent) {
            return try snapshot(name, in: path).map { (name, $0) }
        }
        let models = names(in: path).compactMap { Name(folder: $0)?.model }
        guard !models.isEmpty, !FileManager.default.fileExists(atPath: path + "/config.json") else {
            return nil
        }
        throw .other(
            "this is a cache of the Hugging Face Hub, with \(models.joined(separator: ", "))",
            suggestion: "name the model: load model \(models[0])")
    }

    private static func reference(_ name: String, in folder: String) -> String? {
        let path = folder + "/refs/" + name
        guard let text = try? String(contentsOfFile: path, encoding: .utf8) else { return nil }
        let commit = text.trimmingCharacters(in: .whitespacesAndNewlines)
        return commit.isEmpty || commit.contains("/") || commit.hasPrefix(".") ? nil : commit
    }

    private static func isFolder(_ path: String) -> Bool {
        var isFolder: ObjCBool = false
        return FileManager.default.fileExists(atPath: path, isDirectory: &isFolder)
            && isFolder.boolValue
    }

    private static func names(in folder: String) -> [String] {
        ((try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []).sorted()
    }
}
