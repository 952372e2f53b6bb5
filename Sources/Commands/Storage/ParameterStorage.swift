import Tensors
import Transformers
import Values
import Workspaces

extension ParameterSet {
    /// One array a parameter, under its Hugging Face name.
    package func stored() throws -> StoredValue {
        var record = StoredRecord()
        for (name, tensor) in zip(names, tensors) {
            record.fields.append(.init(key: name, value: .array(try StoredArray(tensor))))
        }
        return .record(record)
    }

    /// As a value to look at.
    package var record: Record {
        var record = Record()
        for (name, tensor) in zip(names, tensors) { record[name] = .tensor(tensor) }
        return record
    }
}

extension LanguageModel {
    /// A model of the given shape with stored weights. Gradients and moments have the names and
    /// shapes of weights, and are checked in the same way.
    init(_ configuration: ModelConfiguration, stored: StoredValue) throws {
        var tensors: [String: Tensor] = [:]
        for field in stored.recordValue?.fields ?? [] {
            guard let array = field.value.arrayValue else {
                throw StorageError(kind: "tensor", problem: "\(field.key) is not an array")
            }
            tensors[field.key] = try Tensor(array)
        }
        try self.init(configuration, tensors: tensors, source: "the workspace")
    }

    /// The same shape with stored weights; nil where there are none.
    package func with(stored: StoredValue?) throws -> LanguageModel? {
        guard let stored, stored != .null else { return nil }
        return try LanguageModel(configuration, stored: stored)
    }
}

extension StoredValue {
    /// A number that counts something; nil where it cannot.
    var integerValue: Int? { numberValue.flatMap { Int(exactly: $0) } }
}
