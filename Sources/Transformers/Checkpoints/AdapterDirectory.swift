import Files
import Foundation
import JSON
import Tensors

/// A folder with an adapter in the form of PEFT: `adapter_config.json` and
/// `adapter_model.safetensors` (github.com/huggingface/peft, LoRA).
public enum AdapterDirectory {
    public static let configurationFile = "adapter_config.json"
    public static let weightsFile = "adapter_model.safetensors"

    /// A model with the adapter of a folder, and the remarks of its configuration.
    public struct Loaded: Sendable {
        public var model: LanguageModel
        /// The model that the folder names as its base; nil if it names none.
        public var baseName: String?
        /// The share of inputs that PEFT drops at random while it trains; training here drops none.
        public var dropout: Double
    }

    /// The beginning that PEFT gives to the names of a causal language model.
    private static let prefix = "base_model.model."

    /// Adds the adapter of a folder to a model.
    ///
    /// - Throws: `ModelError`: for a file that cannot be read, for a kind of adapter or a setting
    ///   that is not supported, and for an adapter that belongs to another model.
    public static func load(_ directory: String, onto model: LanguageModel) throws -> Loaded {
        let path = ModelDirectory.file(configurationFile, in: directory)
        let file = try AdapterFile(json: try ModelDirectory.contents(path), name: path)
        let weights = ModelDirectory.file(weightsFile, in: directory)
        if !FileManager.default.fileExists(atPath: weights) {
            let pickle = ModelDirectory.file("adapter_model.bin", in: directory)
            if FileManager.default.fileExists(atPath: pickle) {
                throw ModelError.pickle(file: pickle)
            }
        }
        let archive = try SafeTensors(path: weights)
        let projections = try model.configuration.projections()
        let configuration = try file.configuration(
            try ranks(archive, projections, baseName: file.baseName), among: projections,
            weights: weights)
        let adapted: LanguageModel
        do {
            adapted = try model.adding(configuration) { _, entry in
                let stored = prefix + entry.name
                guard let tensor = archive.tensor(stored) else {
                    throw ModelError.missingTensor(
                        file: weights, name: stored, shape: entry.shape)
                }
                guard tensor.shape == entry.shape else {
                    throw ModelError.misshapenTensor(
                        file: weights, name: stored, wanted: entry.shape, found: tensor.shape)
                }
                return tensor.converted(to: .float32)
            }
        } catch ModelError.badSetting(let name, let value, let allowed) {
            throw ModelError.badConfiguration(
                file: path, problem: "\(name) \(value) is not possible: \(allowed)")
        }
        return Loaded(model: adapted, baseName: file.baseName, dropout: file.dropout)
    }

    /// The ranks of the projections that the file holds adapters of, by name.
    private static func ranks(
        _ archive: SafeTensors, _ projections: [ProjectionShape], baseName: String?
    ) throws -> [String: Int] {
        let projections = Dictionary(uniqueKeysWithValues: projections.map { ($0.name, $0) })
        let base = baseName.map { "; its base is called \($0)" } ?? ""
        var found: [String: Int] = [:]
        for name in archive.names {
            func refuse(_ problem: String) -> ModelError {
                .badConfiguration(file: archive.file, problem: "tensor \"\(name)\" \(problem)")
            }
            guard name.hasPrefix(prefix),
                let ending = AdapterName.endings.first(where: {
                    name.hasSuffix($0)
                })
            else {
                throw refuse("is no part of a low-rank adapter of a causal language model")
            }
            let projection = String(name.dropFirst(prefix.count).dropLast(ending.count))
            guard let shape = projections[projection] else {
                throw refuse("belongs to no projection of this model" + base)
            }
            guard let entry = archive.entries[name], entry.shape.count == 2 else {
                throw refuse("is not a matrix")
            }
            let isA = ending == AdapterName.a
            let side = isA ? shape.inputs : shape.outputs
            guard entry.shape[isA ? 1 : 0] == side else {
                throw refuse(
                    "has shape \(entry.shape), and this model's \(projection) has "
                        + "\(side) \(isA ? "inputs" : "outputs")" + base)
            }
            let rank = entry.shape[isA ? 0 : 1]
            if let other = found[projection], other != rank {
                throw refuse("has rank \(rank), and its partner has rank \(other)")
            }
            found[projection] = rank
        }
        guard !found.isEmpty else {
            throw ModelError.badConfiguration(file: archive.file, problem: "it holds no adapter")
        }
        return found
    }

    /// Writes the adapter of a model, in float32. Files of an earlier adapter stay until the new
    /// ones are complete; at no moment does the folder hold a mixture.
    ///
    /// - Parameter base: the name of the model below it, as `from_pretrained` of transformers
    ///   takes it.
    /// - Throws: `ModelError.unwritable`; `.badSetting` if the model has no adapter.
    public static func write(_ model: LanguageModel, to directory: String, base: String) throws {
        guard let adapter = model.configuration.adapter else {
            throw ModelError.badSetting(
                name: "adapter", value: "none", allowed: "the model has no adapter")
        }
        try ModelDirectory.makeFolder(directory)
        let tensors = zip(model.parameters.names, model.parameters.tensors)
            .filter { AdapterName.isPart($0.0) }
            .map { (name: prefix + $0.0, tensor: $0.1.converted(to: .float32)) }
        let file = AdapterFile.json(
            adapter, base: base, isTransposed: model.parameters.layout.storesTransposed)
        let writers = [
            try ModelDirectory.complete(
                Data((file.pretty + "\n").utf8),
                for: ModelDirectory.file(configurationFile, in: directory)),
            try SafeTensors.complete(
                tensors, for: ModelDirectory.file(weightsFile, in: directory)),
        ]
        try ModelDirectory.finish(
            writers, insteadOf: [ModelDirectory.file(weightsFile, in: directory)])
    }
}
