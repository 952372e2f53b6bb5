import Foundation
import HDF5Objects
import Tensors
import Transformers
import Values

extension ParameterSet {
    /// One array for each parameter, under its Hugging Face name.
    package func stored() throws -> StoredValue {
        var record = StoredRecord()
        for (name, tensor) in zip(names, tensors) {
            record.fields.append(.init(key: name, value: try StoredValue(tensor)))
        }
        return .record(record)
    }

    /// As a value for display.
    package var record: Record {
        var record = Record()
        for (name, tensor) in zip(names, tensors) { record[name] = .tensor(tensor) }
        return record
    }
}

extension ParameterSet {
    /// Stored gradients or moments of the parameters that train in a layout.
    init(_ layout: ParameterLayout, stored: StoredValue) throws {
        try self.init(layout, tensors: try stored.tensors(), source: "the workspace")
    }
}

extension LanguageModel {
    /// The parameters that train: all, or those of the adapters. Frozen ones are the same in the
    /// model that the work began with.
    package func storedTrained() throws -> StoredValue { try parameters.trainable.stored() }

    /// The same model with stored values of the parameters that train; nil without any.
    package func with(stored: StoredValue?) throws -> LanguageModel? {
        guard let stored, stored != .null else { return nil }
        return try with(trained: try stored.tensors(), source: "the workspace")
    }
}

extension ModelConfiguration {
    /// The fields of a stored record that describe a model's shape.
    func storedFields() throws -> [(String, StoredValue)] {
        var fields: [(String, StoredValue)] = [
            ("configuration", .text(String(decoding: json, as: UTF8.self)))
        ]
        if let adapter { fields.append(("adapter", try StoredValue(encoding: adapter))) }
        return fields
    }

    /// Reads these fields; nil if there are none.
    init?(storedFields record: StoredValue, kind: String) throws {
        guard let json = record["configuration"]?.textValue else { return nil }
        try self.init(json: Data(json.utf8), name: "config.json", isAccepted: true)
        if let stored = record["adapter"] {
            let adapter = try stored.restored(AdapterConfiguration.self, kind: kind)
            try self.add(adapter)
        }
    }
}

extension StoredValue {
    /// The tensors of a record, by name.
    func tensors() throws -> [String: Tensor] {
        var tensors: [String: Tensor] = [:]
        for field in recordValue?.fields ?? [] {
            if let tensor = try Tensor(blocks: field.value) {
                tensors[field.key] = tensor
                continue
            }
            guard let array = field.value.arrayValue else {
                throw StorageError(kind: "tensor", problem: "\(field.key) is not an array")
            }
            tensors[field.key] = try Tensor(array)
        }
        return tensors
    }
}
