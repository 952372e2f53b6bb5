import Files

/// Reads the header of a file value by value. Every length is checked against the bytes that are
/// left before it is used, so that no header makes this program allocate more than a few times the
/// size of its file.
struct GGUFReader {
    private let bytes: MappedFile
    private let file: String
    private(set) var place: Int

    init(_ bytes: MappedFile, file: String, at place: Int) {
        (self.bytes, self.file, self.place) = (bytes, file, place)
    }

    /// Bytes after the present place.
    var left: Int { bytes.count - place }

    func refusal(_ problem: String) -> GGUFError { GGUFError(file: file, problem: problem) }

    /// The refusal of a file that ends too early.
    private func cut(_ what: String) -> GGUFError {
        refusal(
            "it ends inside \(what), at byte \(bytes.count): the file is incomplete; "
                + "download or copy it again")
    }

    mutating func number<Number: FixedWidthInteger & BitwiseCopyable>(
        _: Number.Type, _ what: @autoclosure () -> String
    ) throws -> Number {
        let size = MemoryLayout<Number>.size
        guard left >= size else { throw cut(what()) }
        let value = (bytes.base + place).loadUnaligned(as: Number.self)
        place += size
        return Number(littleEndian: value)
    }

    /// A count of things that take at least `size` bytes each.
    mutating func count(_ what: String, of size: Int, in part: String) throws -> Int {
        let count = try number(UInt64.self, part)
        guard count <= UInt64(left / size) else {
            throw refusal(
                "\(part) claims \(count) \(what), and the file has only \(left) bytes left; "
                    + "it is incomplete or damaged")
        }
        return Int(count)
    }

    mutating func text(_ what: @autoclosure () -> String) throws -> String {
        let length = try number(UInt64.self, what())
        guard length <= UInt64(left) else {
            throw refusal(
                "\(what()) claims a text of \(length) bytes, and the file has only \(left) left; "
                    + "it is incomplete or damaged")
        }
        let range = place..<place + Int(length)
        guard let text = String(validating: bytes.bytes(range), as: UTF8.self) else {
            throw refusal("\(what()) has a text that is not UTF-8")
        }
        place = range.upperBound
        return text
    }

    // MARK: - Values

    mutating func value(of key: String) throws -> GGUFValue {
        let what = "the value of \(key)"
        switch try type(what) {
        case .array: return try array(key)
        case .text: return .text(try text(what))
        case .bool: return .bool(try bool(what))
        case let type where type == .float32 || type == .float64:
            return .number(try float(type, what))
        case let type: return .integer(try integer(type, what))
        }
    }

    private mutating func type(_ what: String) throws -> GGUFValueType {
        let number = try number(UInt32.self, what)
        guard let type = GGUFValueType(rawValue: number) else {
            throw refusal("\(what) is of type \(number), which the format does not have")
        }
        return type
    }

    private mutating func array(_ key: String) throws -> GGUFValue {
        let what = "the list \(key)"
        let type = try type(what)
        guard type != .array else { throw refusal("\(what) is a list of lists, which no key is") }
        let count = try count("values", of: type.size, in: what)
        switch type {
        case .text:
            return .texts(try many(count) { try $0.text("text \($1) of \(key)") })
        case .bool:
            return .bools(try many(count) { reader, _ in try reader.bool(what) })
        case .float32, .float64:
            return .numbers(try many(count) { reader, _ in try reader.float(type, what) })
        default:
            return .integers(try many(count) { reader, _ in try reader.integer(type, what) })
        }
    }

    private mutating func many<Value>(
        _ count: Int, _ read: (inout GGUFReader, Int) throws -> Value
    ) throws -> [Value] {
        var values: [Value] = []
        values.reserveCapacity(count)
        for i in 0..<count { values.append(try read(&self, i)) }
        return values
    }

    private mutating func bool(_ what: String) throws -> Bool {
        let byte = try number(UInt8.self, what)
        guard byte <= 1 else { throw refusal("\(what) is \(byte), neither true nor false") }
        return byte == 1
    }

    private mutating func float(_ type: GGUFValueType, _ what: String) throws -> Double {
        type == .float32
            ? Double(Float(bitPattern: try number(UInt32.self, what)))
            : Double(bitPattern: try number(UInt64.self, what))
    }

    private mutating func integer(_ type: GGUFValueType, _ what: String) throws -> Int {
        switch type {
        case .uint8: return Int(try number(UInt8.self, what))
        case .int8: return Int(try number(Int8.self, what))
        case .uint16: return Int(try number(UInt16.self, what))
        case .int16: return Int(try number(Int16.self, what))
        case .uint32: return Int(try number(UInt32.self, what))
        case .int32: return Int(try number(Int32.self, what))
        case .int64: return Int(try number(Int64.self, what))
        default:
            let value = try number(UInt64.self, what)
            guard let value = Int(exactly: value) else {
                throw refusal("\(what) is \(value), larger than any number here")
            }
            return value
        }
    }
}
