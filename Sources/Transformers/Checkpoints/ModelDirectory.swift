import Files
import Foundation
import JSON
import LongWork
import NumberTypes
import Tensors

/// A Hugging Face model directory: `config.json`, and `model.safetensors` or the shards that
/// `model.safetensors.index.json` lists.
public enum ModelDirectory {
    public static let configurationFile = "config.json"
    public static let weightsFile = "model.safetensors"
    public static let indexFile = "model.safetensors.index.json"

    /// Reads configuration and weights. Throws `ModelError`.
    ///
    /// Weights are memory-mapped: they keep their stored type, and the system reads a page at its
    /// first use.
    /// - Parameter format: converts every weight to this format; nil keeps the stored types.
    public static func load(
        _ directory: String, as format: StoredFormat? = nil
    ) throws -> LanguageModel {
        let configuration = try configuration(directory)
        let files = try weightFiles(directory)
        var model = try LanguageModel(
            configuration, entries: files.entries, source: files.source)
        model.folder = URL(fileURLWithPath: directory).path
        return format.map { model.converted(to: $0) } ?? model
    }

    public static func configuration(_ directory: String) throws -> ModelConfiguration {
        var isDirectory: ObjCBool = false
        guard FileManager.default.fileExists(atPath: directory, isDirectory: &isDirectory) else {
            throw ModelError.unreadable(file: directory, problem: "there is no such folder")
        }
        guard isDirectory.boolValue else {
            throw Pickle.refusal(directory)
                ?? ModelError.unreadable(
                    file: directory,
                    problem:
                        "it is a file; a model is a folder in Hugging Face form, with config.json")
        }
        let path = file(configurationFile, in: directory)
        if !exists(path), exists(file("params.json", in: directory)) {
            throw ModelError.unreadable(
                file: directory,
                problem: "it has params.json and no \(configurationFile), so it is in its author's "
                    + "own layout (as of Mistral's consolidated.safetensors); take the model in "
                    + "Hugging Face form, which most authors publish beside it, or convert it with "
                    + "transformers")
        }
        return try ModelConfiguration(json: try contents(path), name: path)
    }

    // MARK: - Reading

    /// The file and place of each tensor.
    struct Stored: Sendable {
        var archive: SafeTensors
        var entry: SafeTensors.Entry
    }

    private static func weightFiles(
        _ directory: String
    ) throws -> (source: String, entries: [String: Stored]) {
        let single = file(weightsFile, in: directory)
        if exists(single) {
            let archive = try SafeTensors(path: single)
            return (single, archive.entries.mapValues { Stored(archive: archive, entry: $0) })
        }
        let index = file(indexFile, in: directory)
        if exists(index) { return (index, try shards(index, directory)) }
        let others = (try? FileManager.default.contentsOfDirectory(atPath: directory)) ?? []
        if let pickle = others.sorted().first(where: { Pickle.refusal($0) != nil }) {
            throw ModelError.pickle(file: file(pickle, in: directory))
        }
        throw ModelError.unreadable(
            file: directory, problem: "it has neither \(weightsFile) nor \(indexFile)")
    }

    private static func shards(_ index: String, _ directory: String) throws -> [String: Stored] {
        func refuse(_ problem: String) -> ModelError {
            .badTensorFile(file: index, problem: problem)
        }
        let text = [UInt8](try contents(index))
        let json: JSON
        do throws(JSON.Problem) {
            json = try JSON.read(text, limits: .init(depth: 8))
        } catch {
            throw refuse("it is not JSON: \(error)")
        }
        guard let map = json["weight_map"]?.members else { throw refuse("it has no weight_map") }
        var archives: [String: SafeTensors] = [:]
        var entries: [String: Stored] = [:]
        for member in map {
            guard let name = member.value.string else {
                throw refuse("the file of \"\(member.key)\" is not a text")
            }
            // A shard must lie in the directory of its index or below. A path to another directory
            // is refused.
            let parts = name.split(separator: "/", omittingEmptySubsequences: false)
            guard parts.allSatisfy({ !$0.isEmpty && !$0.hasPrefix(".") }), !name.contains("\0")
            else { throw refuse("\"\(name)\" is not the name of a file in the same folder") }
            let archive = try archives[name] ?? SafeTensors(path: file(name, in: directory))
            archives[name] = archive
            guard let entry = archive.entries[member.key] else {
                throw refuse(
                    "\(name) does not hold tensor \"\(member.key)\"; index and shards are not of "
                        + "one model: bring all of them again")
            }
            entries[member.key] = Stored(archive: archive, entry: entry)
        }
        for (name, archive) in archives.sorted(by: { $0.key < $1.key }) {
            if let extra = archive.entries.keys.sorted().first(where: { entries[$0] == nil }) {
                throw refuse(
                    "\(name) holds a tensor \"\(extra)\" that it does not list; index and shards "
                        + "are not of one model: bring all of them again")
            }
        }
        return entries
    }

    static func contents(_ path: String) throws -> Data {
        // Far above the size of any configuration or index, and far below the size of memory.
        let limit = 64 << 20
        do throws(FileError) {
            let file = try RegularFile(path)
            guard file.size > 0 else { throw FileError(.read, path, .empty) }
            guard file.size <= limit else {
                throw FileError(.read, path, .tooLong(limit: limit, found: file.size))
            }
            return try file.readAll()
        } catch {
            throw ModelError(error)
        }
    }

    private static func exists(_ path: String) -> Bool {
        FileManager.default.fileExists(atPath: path)
    }

    static func file(_ name: String, in directory: String) -> String {
        (directory as NSString).appendingPathComponent(name)
    }

    // MARK: - Writing

    /// The default of transformers for the largest file.
    public static let largestFile = 5_000_000_000

    /// Writes configuration and weights, each tensor in its stored type, bfloat16 for blocks. If
    /// one file would be larger than `limit` bytes, it writes shards with an index.
    ///
    /// Files of an earlier model stay until the new ones are complete. Then its weights or their
    /// index are set aside and the new files get their names, the one that makes the folder a model
    /// last. So at every moment the folder holds the earlier model, the new one or, while files are
    /// renamed, none; never a mixture. Shards of an earlier, larger model are removed at last.
    ///
    /// - Parameter others: further files of the folder, by name, such as the tokenizer's.
    /// - Throws: `ModelError.unwritable`; `Canceled`, and then the folder is as it was.
    public static func write(
        _ model: LanguageModel, to directory: String, beside others: [String: Data] = [:],
        limit: Int = largestFile, watch: Watch = { _ in .more }
    ) throws {
        try makeFolder(directory)
        let tensors = zip(model.parameters.names, model.parameters.tensors)
            .map { (name: $0, tensor: $1) }
        let sizes = tensors.map { $0.tensor.count * $0.tensor.format.plainType.size }
        let parts = shardRanges(sizes, limit: limit)
        // The file that makes the folder a model comes last.
        var writers: [FileWriter] = []
        for (name, data) in others.sorted(by: { $0.key < $1.key }) {
            let path = file(name, in: directory)
            try makeFolder((path as NSString).deletingLastPathComponent)
            writers.append(try complete(data, for: path))
        }
        writers.append(
            try complete(
                model.configuration.json(elementType: model.weightFormat.plainType.rawValue),
                for: file(configurationFile, in: directory)))
        if parts.count == 1 {
            writers.append(
                try SafeTensors.complete(
                    tensors, for: file(weightsFile, in: directory), watch: watch))
        } else {
            var map: [JSON.Member] = []
            for (number, part) in parts.enumerated() {
                let name = shardName(number, of: parts.count)
                let (own, whole) = (sizes[part].reduce(0, +), sizes.reduce(0, +))
                let before = sizes[..<part.lowerBound].reduce(0, +)
                writers.append(
                    try SafeTensors.complete(
                        Array(tensors[part]), for: file(name, in: directory),
                        watch: { watch((Double(before) + $0 * Double(own)) / Double(whole)) }))
                map += tensors[part].map { JSON.Member($0.name, .string(name)) }
            }
            writers.append(
                try complete(
                    index(map, bytes: sizes.reduce(0, +)), for: file(indexFile, in: directory)))
        }
        let keys = [weightsFile, indexFile].map { file($0, in: directory) }
        try finish(writers, insteadOf: keys)
        let names = Set(writers.map(\.name))
        for name in FileSystem.names(in: directory) where isWeights(name) && !names.contains(name) {
            unlink(file(name, in: directory))
        }
    }

    static func finish(
        _ writers: [FileWriter], insteadOf keys: [String]
    ) throws(ModelError) {
        do throws(FileError) {
            try FileWriter.finish(writers, insteadOf: keys)
        } catch {
            throw ModelError(error)
        }
    }

    /// Makes a folder, and those above it, where they are missing.
    static func makeFolder(_ directory: String) throws(ModelError) {
        do {
            try FileManager.default.createDirectory(
                atPath: directory, withIntermediateDirectories: true)
        } catch {
            throw .unwritable(file: directory, problem: (error as NSError).localizedDescription)
        }
    }

    /// As many tensors in a file as fit; a tensor larger than the limit has a file of its own.
    public static func shardRanges(_ sizes: [Int], limit: Int) -> [Range<Int>] {
        var ranges: [Range<Int>] = []
        var (first, bytes) = (0, 0)
        for (i, size) in sizes.enumerated() {
            if i > first, bytes + size > limit {
                ranges.append(first..<i)
                (first, bytes) = (i, 0)
            }
            bytes += size
        }
        return ranges + [first..<sizes.count]
    }

    /// Whether a file of this name holds weights that `write` made, or lists their files.
    private static func isWeights(_ name: String) -> Bool {
        name == weightsFile || name == indexFile
            || name.wholeMatch(of: /model-\d{5}-of-\d{5}\.safetensors/) != nil
    }

    public static func shardName(_ number: Int, of count: Int) -> String {
        func digits(_ value: Int) -> String {
            let text = String(value)
            return String(repeating: "0", count: max(0, 5 - text.count)) + text
        }
        return "model-\(digits(number + 1))-of-\(digits(count)).safetensors"
    }

    /// The text of an index: the file of each tensor.
    public static func index(_ files: [(name: String, file: String)], bytes: Int) -> Data {
        index(files.map { JSON.Member($0.name, .string($0.file)) }, bytes: bytes)
    }

    private static func index(_ map: [JSON.Member], bytes: Int) -> Data {
        let metadata = JSON.object([.init("total_size", .integer(bytes))])
        let index = JSON.object([
            .init("metadata", metadata),
            .init("weight_map", .object(map)),
        ])
        return Data((index.pretty + "\n").utf8)
    }

    /// A complete file without its name.
    static func complete(_ data: Data, for path: String) throws(ModelError) -> FileWriter {
        do throws(FileError) {
            let writer = try FileWriter(path)
            try writer.write(data)
            try writer.complete()
            return writer
        } catch {
            throw ModelError(error)
        }
    }
}
