import Foundation
import HDF5Objects
import NumberTypes
import Tensors
import TextModels
import Tokenizers
import Transformers
import Values

/// A model in a workspace.
extension ModelObject {
    func stored() throws -> StoredValue {
        let text: [(String, StoredValue)] = [
            ("origin", .text(origin)),
            ("prompts", try StoredValue(encoding: prompts)),
            ("tokenizer", directory == nil ? tokenizer.map { .text($0.json) } ?? .null : .null),
            ("files", try StoredValue(files: directory?.files ?? [:])),
        ]
        return .record(
            StoredRecord(
                try model.configuration.storedFields() + text + storedWeights() + storedFormat))
    }

    private func storedWeights() throws -> [(String, StoredValue)] {
        let own = ownWeights
        var tensors = StoredRecord()
        for (name, tensor) in own {
            tensors.fields.append(.init(key: name, value: try StoredValue(tensor)))
        }
        let fields = [("tensors", StoredValue.record(tensors))]
        // A model that shares nothing with the files any more is whole without them.
        guard let weightSource, own.count < model.parameters.tensors.count else { return fields }
        return fields + [("weights_in", weightSource.stored)]
    }

    /// Settings other than the defaults: models without them are stored as older versions store
    /// them.
    private var storedFormat: [(String, StoredValue)] {
        let format = checkpointFormat.flatMap { $0 == model.weightFormat ? nil : $0 }
        return (template == "default" ? [] : [("template", .text(template))])
            + (format.map { [("checkpoint_type", .text($0.name))] } ?? [])
            + (date == TemplateDate() ? [] : [("date", .text(date.text))])
    }

    static func restored(_ value: StoredValue) throws -> ModelObject {
        guard let configuration = try ModelConfiguration(storedFields: value, kind: kind),
            let stored = value["tensors"], let prompts = value["prompts"]
        else { throw StorageError(kind: kind, problem: "a part of it is missing") }
        let source = try value["weights_in"].map { try WeightSource(stored: $0, kind: kind) }
        let kept = try stored.tensors()
        let tensors =
            try source.map { $0.completing(kept, try configuration.parameterLayout()) } ?? kept
        let files = try value["files"]?.files(kind: kind) ?? [:]
        let directory =
            files.isEmpty ? nil : try TokenizerDirectory(files: files, isAccepted: true)
        let own = try value["tokenizer"]?.textValue.map { try Tokenizer(json: $0) }
        var model = try LanguageModel(configuration, tensors: tensors, source: "the workspace")
        if let source, !ModelFiles.isGGUF(source.path) { model.folder = source.path }
        var object = ModelObject(
            model: model,
            tokenizer: directory?.tokenizer ?? own,
            prompts: try prompts.restored(Prompts.self, kind: kind),
            origin: value["origin"]?.textValue ?? "the workspace", directory: directory,
            weightSource: source)
        object.template = value["template"]?.textValue ?? "default"
        object.date = value["date"]?.textValue.flatMap(TemplateDate.init) ?? TemplateDate()
        object.checkpointFormat = value["checkpoint_type"]?.textValue.flatMap(
            StoredFormat.init(name:))
        return object
    }
}
