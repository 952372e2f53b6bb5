import HDF5Objects
import Tensors
import Transformers
import Values

extension ParameterSet {
    /// One array for each parameter, under its Hugging Face name.
    package func stored() throws -> StoredValue {
        var record = StoredRecord()
        for (name, tensor) in zip(names, tensors) {
            record.fields.append(.init(key: name, value: .array(try StoredArray(tensor))))
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
    /// A model of the given shape with stored weights.
    init(_ configuration: ModelConfiguration, stored: StoredValue) throws {
        try self.init(configuration, tensors: try stored.tensors(), source: "the workspace")
    }

    /// The same shape with stored weights; nil without stored weights.
    package func with(stored: StoredValue?) throws -> LanguageModel? {
        guard let stored, stored != .null else { return nil }
        return try LanguageModel(configuration, stored: stored)
    }
}

extension StoredValue {
    /// The arrays of a record, by name.
    fileprivate func tensors() throws -> [String: Tensor] {
        var tensors: [String: Tensor] = [:]
        for field in recordValue?.fields ?? [] {
            guard let array = field.value.arrayValue else {
                throw StorageError(kind: "tensor", problem: "\(field.key) is not an array")
            }
            tensors[field.key] = try Tensor(array)
        }
        return tensors
    }
}
