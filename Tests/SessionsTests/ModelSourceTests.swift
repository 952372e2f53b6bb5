import Foundation
import TestSupport
import Testing

@testable import Commands
@testable import Values

/// What a path or a name of the Hub means, and the sentences for caches and folders that are not
/// whole.
@Suite struct ModelSourceTests {
    private static let first = String(repeating: "a1", count: 20)
    private static let second = String(repeating: "b2", count: 20)

    private let folder: TemporaryFolder
    private var hub: String { folder.file("hub") }
    private var cache: HubCache { HubCache(["HF_HUB_CACHE": hub]) }

    init() throws { folder = try TemporaryFolder() }

    /// A snapshot as huggingface_hub makes it: links to blobs.
    private func snapshot(
        _ model: String, _ commit: String, _ files: [String] = ["config.json"], missing: String = ""
    ) throws {
        let root = hub + "/models--" + model.replacing("/", with: "--")
        for name in ["blobs", "refs", "snapshots/" + commit] {
            try FileManager.default.createDirectory(
                atPath: root + "/" + name, withIntermediateDirectories: true)
        }
        for file in files {
            if file != missing {
                try Data("{}".utf8).write(to: URL(fileURLWithPath: root + "/blobs/" + file))
            }
            try FileManager.default.createSymbolicLink(
                atPath: root + "/snapshots/\(commit)/" + file,
                withDestinationPath: "../../blobs/" + file)
        }
    }

    private func refer(_ model: String, _ name: String, _ commit: String) throws {
        let root = hub + "/models--" + model.replacing("/", with: "--")
        try Data(commit.utf8).write(to: URL(fileURLWithPath: root + "/refs/" + name))
    }

    private func source(
        _ text: String, for purpose: ModelSource.Purpose = .model
    ) throws -> ModelSource? {
        try ModelSource(text, for: purpose, in: folder.path, cache: cache)
    }

    /// The sentence and the suggestion.
    private func complaint(_ text: String) -> String {
        do {
            return try source(text) == nil ? "none" : "found"
        } catch let error as EvaluationError {
            let (sentence, advice) = ("\(error)", error.suggestion ?? "")
            return "\(sentence) | \(advice)".replacing(folder.path, with: "DIR")
        } catch {
            return "\(error)"
        }
    }

    @Test func `the cache is where huggingface_hub has it`() {
        #expect(HubCache(["HF_HUB_CACHE": "/x", "HF_HOME": "/y"]).folder == "/x")
        #expect(HubCache(["HF_HOME": "/y", "XDG_CACHE_HOME": "/z"]).folder == "/y/hub")
        #expect(
            HubCache(["XDG_CACHE_HOME": "/z", "HOME": "/h"]).folder == "/z/huggingface/hub")
        #expect(HubCache(["HOME": "/h", "HF_HOME": ""]).folder == "/h/.cache/huggingface/hub")
    }

    @Test func `names`() {
        #expect(HubCache.Name("a/b-c.d")?.folder == "models--a--b-c.d")
        #expect(HubCache.Name("gpt2")?.folder == "models--gpt2")
        #expect(HubCache.Name("a/b@refs/pr/1")?.revision == "refs/pr/1")
        #expect(HubCache.Name(folder: "models--a--b--c")?.model == "a/b--c")
        for text in ["", "a/b/c", "../b", "a/../b", "a/b@", "a/b@../x", "a/b@/x", "/a/b", "~/b"] {
            #expect(HubCache.Name(text) == nil, "\(text)")
        }
    }

    @Test func `a model of the cache is found by name, revision, and path`() throws {
        try snapshot("a/b", Self.first)
        try snapshot("a/b", Self.second)
        try refer("a/b", "main", Self.second + "\n")
        try refer("a/b", "v1", Self.first)
        let root = hub + "/models--a--b"
        for text in ["a/b", "a/b@main", "a/b@b2b2", root, root + "/snapshots"] {
            let found = try #require(try source(text))
            #expect(found.path == root + "/snapshots/" + Self.second, "\(text)")
            #expect(found.shown == "a/b@b2b2b2b2" && found.form == .folder)
        }
        for text in ["a/b@v1", "a/b@" + Self.first] {
            #expect(try source(text)?.path == root + "/snapshots/" + Self.first, "\(text)")
        }
        #expect(try source("a/c") == nil)
        // A folder that exists goes first.
        try FileManager.default.createDirectory(
            atPath: folder.file("a/b"), withIntermediateDirectories: true)
        #expect(try source("a/b")?.path == folder.file("a/b"))
    }

    @Test func `a cache that is not whole`() throws {
        try snapshot("a/one", Self.first)
        #expect(try source("a/one")?.shown == "a/one@a1a1a1a1")
        try snapshot("a/two", Self.first)
        try snapshot("a/two", Self.second)
        #expect(
            complaint("a/two")
                == "the cache of the Hub does not hold revision main of a/two; it holds a1a1a1a1, "
                + "b2b2b2b2 | name one, as in a/two@a1a1a1a1, or in a shell: hf download a/two")
        #expect(
            complaint("a/one@v9")
                == "the cache of the Hub does not hold revision v9 of a/one; it holds a1a1a1a1 | "
                + "name one, as in a/one@a1a1a1a1, or in a shell: hf download a/one --revision v9")
        try refer("a/one", "main", Self.second)
        #expect(
            complaint("a/one")
                == "the cache of the Hub knows main of a/one as commit b2b2b2b2, but does not hold "
                + "its files | in a shell: hf download a/one")
        try snapshot(
            "a/cut", Self.first, ["config.json", "model.safetensors"], missing: "model.safetensors")
        #expect(
            complaint("a/cut")
                == "a/cut@a1a1a1a1/model.safetensors is a link to a file that is missing, as a "
                + "stopped download leaves it | in a shell: hf download a/cut")
        try FileManager.default.createDirectory(
            atPath: hub + "/models--a--none/refs", withIntermediateDirectories: true)
        #expect(
            complaint("a/none")
                == "the cache of the Hub has a folder for a/none, but no files in it | in a shell: "
                + "hf download a/none")
        #expect(
            complaint("hub")
                == "this is a cache of the Hugging Face Hub, with a/cut, a/none, a/one, a/two | "
                + "name the model: load model a/cut")
    }

    @Test func `folders that hold something else`() throws {
        func make(_ name: String, _ files: [String: String]) throws {
            try FileManager.default.createDirectory(
                atPath: folder.file(name), withIntermediateDirectories: true)
            for (file, text) in files { try folder.write(name + "/" + file, text) }
        }
        try make("adapter", ["adapter_config.json": "{}", "tokenizer.json": "{}"])
        #expect(
            complaint("adapter")
                == "adapter holds an adapter, not a model | load the model that it belongs to, "
                + "then: load adapter adapter")
        #expect(try source("adapter", for: .tokenizer)?.form == .folder)
        try make(
            "clone",
            [
                "config.json": "{}", "tokenizer.json": "{}",
                "model.safetensors": """
                version https://git-lfs.github.com/spec/v1
                oid sha256:4d7a214614ab2935c943f9e0ff69d22eadbb8f32b1258daaa5e2ca24d17e2393
                size 12345

                """,
            ])
        #expect(
            complaint("clone")
                == "clone/model.safetensors is a pointer of Git LFS, not the file itself | "
                + "in a shell: git -C DIR/clone lfs pull")
        #expect(try source("clone", for: .tokenizer)?.form == .folder)
        try make("one", ["m.Q4_0.gguf": "GGUF", "README.md": ""])
        #expect(try source("one")?.path == folder.file("one/m.Q4_0.gguf"))
        #expect(try source("one")?.form == .gguf)
        #expect(try source("one/m.Q4_0.gguf")?.form == .gguf)
        try make("two", ["a.gguf": "GGUF", "b.gguf": "GGUF"])
        #expect(
            complaint("two")
                == "two holds 2 GGUF files: a.gguf, b.gguf | name one: load model DIR/two/a.gguf")
    }
}
