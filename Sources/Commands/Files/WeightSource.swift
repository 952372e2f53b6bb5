import Files
import Foundation
import HDF5Objects
import NumberTypes
import Tensors
import Transformers
import Values

/// The files from which a model's weights were read. A value that holds weights too large to copy
/// refers to them: the workspace then stores only what differs, such as adapters.
struct WeightSource: Sendable {
    /// The absolute path of the model's folder or file.
    let path: String
    /// A digest of samples of the files; see `fingerprint(of:)`.
    let fingerprint: String
    /// The format that was asked for when the weights were read; nil for the usual one.
    private let format: StoredFormat?
    /// The weights as they were read.
    private let tensors: [String: Tensor]

    init(_ model: LanguageModel, path: String, as format: StoredFormat? = nil) throws {
        self.path = path
        self.format = format
        fingerprint = try Self.fingerprint(of: path)
        tensors = model.parameters.byName
    }

    /// Whether this is a weight as it was read, unchanged.
    func holds(_ name: String, _ tensor: Tensor) -> Bool {
        tensors[name].map { $0.sharesMemory(with: tensor) } ?? false
    }

    // MARK: In a workspace

    var stored: StoredValue {
        .record(
            StoredRecord(
                [("path", .text(path)), ("fingerprint", .text(fingerprint))]
                    + (format.map { [("type", .text($0.name))] } ?? [])))
    }

    /// The weights that a stored value refers to.
    ///
    /// - Throws: `StorageError` if they are gone or have changed.
    init(stored value: StoredValue, kind: String) throws {
        guard let path = value["path"]?.textValue, let wanted = value["fingerprint"]?.textValue,
            path.hasPrefix("/")
        else { throw StorageError(kind: kind, problem: "the place of its weights is missing") }
        func fault(_ problem: String) -> StorageError {
            StorageError(
                kind: kind,
                problem: "its weights lie in \(path), which \(problem); bring those files back")
        }
        guard FileSystem.kind(of: path) != .absent else { throw fault("is not there any more") }
        let found: String
        do {
            found = try Self.fingerprint(of: path)
        } catch {
            throw fault("cannot be read (\(ErrorSentence.of(error)))")
        }
        guard found == wanted else { throw fault("has other content now") }
        self.path = path
        fingerprint = wanted
        format = value["type"]?.textValue.flatMap(StoredFormat.init(name:))
        let object =
            ModelFiles.isGGUF(path)
            ? try ModelFiles.load(gguf: path, shown: path, as: format) { _ in .more }
            : try ModelFiles.load(path, shown: path, as: format)
        tensors = object.model.parameters.byName
    }

    /// The weights of a layout: the given ones, and for the rest those of the files.
    func completing(_ own: [String: Tensor], _ layout: ParameterLayout) -> [String: Tensor] {
        var all = own
        for entry in layout.entries where all[entry.name] == nil {
            all[entry.name] = tensors[entry.name]
        }
        return all
    }

    // MARK: Fingerprints

    /// The bytes of one sample, and the number of samples of a file.
    private static let sampleBytes = 4096
    private static let samples = 64

    /// A digest of the names and sizes of the files with weights and configuration, and of samples
    /// from their whole length. It tells another model or another download apart, and reads
    /// at most a few hundred kilobytes of each file; it is no proof against a forger.
    static func fingerprint(of path: String) throws -> String {
        var hash = SHA256()
        let isFolder = FileSystem.kind(of: path) == .folder
        let names =
            isFolder
            ? FileSystem.names(in: path).filter { name in
                name == ModelDirectory.configurationFile || name.hasSuffix(".safetensors")
            }.sorted() : [""]
        for name in names {
            let file = try MappedFile(isFolder ? path + "/" + name : path)
            hash.update(Data("\(name) \(file.count)\n".utf8))
            let last = max(0, file.count - sampleBytes)
            for sample in 0..<samples {
                let place = last / max(1, samples - 1) * sample
                let start = sample == samples - 1 ? last : place
                let end = min(file.count, start + sampleBytes)
                guard start < end else { continue }
                hash.update(UnsafeRawBufferPointer(start: file.base + start, count: end - start))
            }
        }
        return hexadecimal(hash.digest)
    }
}

extension Invocation {
    /// - Throws: at `path` if the workspace keeps weights of `model` or `base` in that folder: new
    ///   files there would take them away, from earlier states too.
    func requireOtherFolder(than path: String, shown: String) throws {
        for name in ["model", "base"] where session.isBound(name) {
            guard let source = try objectIfBound(ModelObject.self, name)?.weightSource,
                FileSystem.isSame(source.path, path)
            else { continue }
            throw error(
                "\(shown) holds the weights of `\(name)`, which are too large to be kept in the "
                    + "workspace",
                suggestion: "name another folder", at: "path")
        }
    }
}
