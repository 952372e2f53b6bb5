import Foundation
import NumberTypes

#if _endian(big)
    #error("Arrays are kept as little-endian bytes; a big-endian machine needs conversions.")
#endif

/// A dense array: row-major, little-endian, of any rank from 0 (one element) to 32.
public struct StoredArray: Sendable {
    /// HDF5's own limit.
    public static let maximumRank = 32

    public let type: DType
    public let shape: [Int]
    public let memory: StoredBytes

    /// - Throws: `ObjectError.shapeMismatch` unless `memory` holds exactly the elements of
    ///   `shape`.
    public init(type: DType, shape: [Int], memory: StoredBytes) throws {
        guard shape.count <= Self.maximumRank,
            let expected = type.byteCount(of: shape), expected == memory.count
        else {
            throw ObjectError.shapeMismatch(type: type, shape: shape, bytes: memory.count)
        }
        self.type = type
        self.shape = shape
        self.memory = memory
    }

    /// The same with a copy of the bytes.
    public init(type: DType, shape: [Int], bytes: Data) throws {
        try self.init(
            type: type, shape: shape,
            memory: bytes.withUnsafeBytes { StoredBytes(copying: $0) })
    }

    public var bytes: Data { memory.data }

    public var byteCount: Int { memory.count }

    /// The number of elements.
    public var count: Int { byteCount / type.size }
}

extension StoredArray: Equatable {
    public static func == (left: StoredArray, right: StoredArray) -> Bool {
        left.type == right.type && left.shape == right.shape
            && (left.memory === right.memory
                || memcmp(left.memory.base, right.memory.base, left.byteCount) == 0)
    }
}

extension StoredArray {
    public init(_ values: [Float], shape: [Int]) throws {
        try self.init(type: .float32, shape: shape, bytes: values.withUnsafeBytes { Data($0) })
    }

    public init(_ values: [Double], shape: [Int]) throws {
        try self.init(type: .float64, shape: shape, bytes: values.withUnsafeBytes { Data($0) })
    }

    public init(_ values: [Int32], shape: [Int]) throws {
        try self.init(type: .int32, shape: shape, bytes: values.withUnsafeBytes { Data($0) })
    }

    public init(_ values: [Int64], shape: [Int]) throws {
        try self.init(type: .int64, shape: shape, bytes: values.withUnsafeBytes { Data($0) })
    }

    public init(_ values: [UInt8], shape: [Int]) throws {
        try self.init(type: .uint8, shape: shape, bytes: Data(values))
    }

    /// Copies the caller's memory once; for weights.
    public init(_ values: UnsafeBufferPointer<Float>, shape: [Int]) throws {
        try self.init(type: .float32, shape: shape, bytes: Data(buffer: values))
    }

    /// The elements as Swift values of the array's own type, or as `UInt16` for the raw bits of
    /// `float16` and `bfloat16`, or as `UInt8` for `bool`.
    ///
    /// - Throws: `ObjectError.elementMismatch` for any other pairing.
    public func values<Element: BitwiseCopyable>(as element: Element.Type) throws -> [Element] {
        let fits: Bool =
            switch type {
            case .float32: element == Float.self
            case .float64: element == Double.self
            case .int32: element == Int32.self
            case .int64: element == Int64.self
            case .int16: element == Int16.self
            case .int8: element == Int8.self
            case .uint64: element == UInt64.self
            case .uint32: element == UInt32.self
            case .uint8, .bool: element == UInt8.self
            case .float16, .bfloat16, .uint16: element == UInt16.self
            }
        guard fits else {
            throw ObjectError.elementMismatch(type: type, asked: "\(element)")
        }
        let count = count
        return [Element](unsafeUninitializedCapacity: count) { buffer, initialized in
            UnsafeMutableRawBufferPointer(buffer).copyMemory(from: memory.buffer)
            initialized = count
        }
    }
}

/// An ordered record. Keys are unique: assigning to an existing key replaces its value in place.
public struct StoredRecord: Sendable, Equatable, ExpressibleByDictionaryLiteral {
    public struct Field: Sendable, Equatable {
        public var key: String
        public var value: StoredValue

        public init(key: String, value: StoredValue) {
            self.key = key
            self.value = value
        }
    }

    public var fields: [Field]

    public init() { fields = [] }

    public init(_ fields: [(String, StoredValue)]) {
        self.fields = fields.map { Field(key: $0.0, value: $0.1) }
    }

    public init(dictionaryLiteral elements: (String, StoredValue)...) {
        self.init(elements)
    }

    /// The value of a key, found by linear search.
    public subscript(key: String) -> StoredValue? {
        get { fields.first { $0.key.hasSameBytes(as: key) }?.value }
        set {
            let place = fields.firstIndex { $0.key.hasSameBytes(as: key) }
            switch (place, newValue) {
            case (let place?, let value?): fields[place].value = value
            case (let place?, nil): fields.remove(at: place)
            case (nil, let value?): fields.append(Field(key: key, value: value))
            case (nil, nil): break
            }
        }
    }
}

/// A tree of plain values with arrays at its leaves.
///
/// Numbers are doubles: a 64-bit seed belongs in `.text`. Every `.array` becomes an HDF5 dataset of
/// its own (about 0.1 ms each), so concatenate thousands of tiny arrays into one.
public enum StoredValue: Sendable, Equatable {
    case null
    case bool(Bool)
    case number(Double)
    case text(String)
    case list([StoredValue])
    case record(StoredRecord)
    case array(StoredArray)
}

extension StoredValue {
    public var boolValue: Bool? { if case .bool(let value) = self { value } else { nil } }
    public var numberValue: Double? { if case .number(let value) = self { value } else { nil } }
    public var textValue: String? { if case .text(let value) = self { value } else { nil } }
    public var listValue: [StoredValue]? { if case .list(let value) = self { value } else { nil } }
    public var recordValue: StoredRecord? {
        if case .record(let value) = self { value } else { nil }
    }
    public var arrayValue: StoredArray? { if case .array(let value) = self { value } else { nil } }

    /// The bytes of its arrays.
    public var byteCount: Int {
        switch self {
        case .null, .bool, .number, .text: 0
        case .list(let items): items.reduce(0) { $0 + $1.byteCount }
        case .record(let record): record.fields.reduce(0) { $0 + $1.value.byteCount }
        case .array(let array): array.byteCount
        }
    }

    /// The number if it is whole and fits in an `Int`, else nil.
    public var intValue: Int? { numberValue.flatMap { Int(exactly: $0) } }

    /// The field of a record; nil for any other value.
    public subscript(key: String) -> StoredValue? { recordValue?[key] }
}

extension StoredValue: ExpressibleByStringLiteral, ExpressibleByFloatLiteral,
    ExpressibleByIntegerLiteral, ExpressibleByBooleanLiteral, ExpressibleByNilLiteral,
    ExpressibleByArrayLiteral, ExpressibleByDictionaryLiteral
{
    public init(stringLiteral value: String) { self = .text(value) }
    public init(floatLiteral value: Double) { self = .number(value) }
    public init(integerLiteral value: Int) { self = .number(Double(value)) }
    public init(booleanLiteral value: Bool) { self = .bool(value) }
    public init(nilLiteral: ()) { self = .null }
    public init(arrayLiteral elements: StoredValue...) { self = .list(elements) }
    public init(dictionaryLiteral elements: (String, StoredValue)...) {
        self = .record(StoredRecord(elements))
    }
}

/// A value with its kind ("model", "tensor", "rollouts").
public struct StoredObject: Sendable, Equatable {
    /// 1 to 255 bytes without a NUL.
    public var kind: String
    public var value: StoredValue
    /// The field of the value that other programs look for first: the link of a name in
    /// `workspace.h5` leads to this array. It is not part of the digest.
    public var main: String?

    public init(kind: String, value: StoredValue, main: String? = nil) {
        self.kind = kind
        self.value = value
        self.main = main
    }
}
