import Foundation
import HDF5Objects
import Tensors
import Tokenizers
import Values

/// An object that a workspace can store.
protocol StorableObject: SessionObject {
    func stored() throws -> StoredValue
    /// The field of the stored record that holds the object's main array; nil if there is none. The
    /// object's link in `workspace.h5` leads to this array.
    static var main: String? { get }
    /// Throws if the value does not come from `stored`.
    static func restored(_ value: StoredValue) throws -> Self
}

extension StorableObject {
    static var main: String? { nil }
}

/// A stored value that cannot be read: written by another program or a newer version.
struct StorageError: Error, CustomStringConvertible {
    package var kind: String
    package var problem: String
    package var description: String { "the stored \(kind) cannot be read: \(problem)" }
}

extension Value {
    /// The form that a workspace stores.
    package func storedObject() throws -> StoredObject {
        var main: String?
        if case .object(let object) = self, let object = object as? any StorableObject {
            main = type(of: object).main
        }
        return StoredObject(kind: kind, value: try stored(), main: main)
    }

    private func stored() throws -> StoredValue {
        switch self {
        case .null: return .null
        case .bool(let truth): return .bool(truth)
        case .number(let number): return .number(number)
        case .text(let text): return .text(text)
        case .list(let items): return .list(try items.map { try $0.storedItem() })
        case .record(let record):
            return .record(StoredRecord(try record.map { ($0.key, try $0.value.storedItem()) }))
        case .tensor(let tensor): return try StoredValue(tensor)
        case .object(let object):
            guard let object = object as? any StorableObject else {
                return try object.jsonValue.stored()
            }
            return try object.stored()
        }
    }

    /// Inside lists and records an object states its own kind, because only the outermost kind is
    /// recorded.
    private func storedItem() throws -> StoredValue {
        guard case .object(let object) = self else { return try stored() }
        return .record(
            StoredRecord([(Value.kindKey, .text(type(of: object).kind)), ("value", try stored())]))
    }

    private static let kindKey = "sami.kind"

    package init(_ object: StoredObject) throws {
        if let kind = ObjectKinds.all[object.kind] {
            self = .object(try kind.restored(object.value))
        } else {
            self = try Value(object.value)
        }
    }

    package init(_ stored: StoredValue) throws {
        switch stored {
        case .null: self = .null
        case .bool(let truth): self = .bool(truth)
        case .number(let number): self = .number(number)
        case .text(let text): self = .text(text)
        case .list(let items): self = .list(try items.map { try Value($0) })
        case .record(let fields):
            if let kind = fields[Value.kindKey]?.textValue, let type = ObjectKinds.all[kind],
                let value = fields["value"]
            {
                self = .object(try type.restored(value))
                return
            }
            if let tensor = try Tensor(blocks: stored) {
                self = .tensor(tensor)
                return
            }
            var record = Record()
            for field in fields.fields { record[field.key] = try Value(field.value) }
            self = .record(record)
        case .array(let array): self = .tensor(try Tensor(array))
        }
    }
}

extension StoredValue {
    /// A `Codable` part of an object. Throws `StorageError`, with the path of the field that has
    /// another form.
    func restored<Part: Decodable>(_ type: Part.Type, kind: String) throws -> Part {
        do throws(StoredFormError) {
            return try decoded(as: type)
        } catch {
            throw StorageError(kind: kind, problem: error.description)
        }
    }
}
