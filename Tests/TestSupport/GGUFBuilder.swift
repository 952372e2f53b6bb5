import Foundation

/// Builds the bytes of GGUF files, sound ones and others.
public struct GGUFBuilder: Sendable {
    public enum Value: Sendable {
        case uint32(UInt32)
        case float32(Float)
        case bool(Bool)
        case text(String)
        case texts([String])
        case int32s([Int32])
        case float32s([Float])
        /// A type's number and bytes.
        case raw(UInt32, [UInt8])
    }

    public struct Tensor: Sendable {
        public var name: String
        /// Rows first.
        public var shape: [Int]
        /// 0 is float32.
        public var type: UInt32
        public var bytes: [UInt8]
        /// Overrides the place after the tensor before.
        public var offset: UInt64?

        public init(
            _ name: String, _ shape: [Int], type: UInt32 = 0, bytes: [UInt8], offset: UInt64? = nil
        ) {
            (self.name, self.shape, self.type) = (name, shape, type)
            (self.bytes, self.offset) = (bytes, offset)
        }

        /// Float32 numbers.
        public init(_ name: String, _ shape: [Int], _ values: [Float]) {
            self.init(
                name, shape, bytes: values.flatMap { GGUFBuilder.little($0.bitPattern) })
        }
    }

    public var magic = Array("GGUF".utf8)
    public var version: UInt32 = 3
    public var keys: [(String, Value)]
    public var tensors: [Tensor]
    public var alignment = 32

    public init(keys: [(String, Value)] = [], tensors: [Tensor] = []) {
        (self.keys, self.tensors) = (keys, tensors)
    }

    public var data: Data { Data(header + body) }

    /// Everything before the bytes of tensors, padding included.
    public var header: [UInt8] {
        var bytes = magic + Self.little(version)
        bytes += Self.little(UInt64(tensors.count)) + Self.little(UInt64(keys.count))
        for (key, value) in keys { bytes += Self.text(key) + Self.encoded(value) }
        var end: UInt64 = 0
        for tensor in tensors {
            bytes += Self.text(tensor.name) + Self.little(UInt32(tensor.shape.count))
            for side in tensor.shape.reversed() { bytes += Self.little(UInt64(side)) }
            bytes += Self.little(tensor.type) + Self.little(tensor.offset ?? end)
            end += UInt64(padded(tensor.bytes.count))
        }
        return bytes + [UInt8](repeating: 0, count: padded(bytes.count) - bytes.count)
    }

    private var body: [UInt8] {
        tensors.flatMap { tensor in
            let zeros = padded(tensor.bytes.count) - tensor.bytes.count
            return tensor.bytes + [UInt8](repeating: 0, count: zeros)
        }
    }

    private func padded(_ count: Int) -> Int { (count + alignment - 1) / alignment * alignment }

    public static func little(_ value: some FixedWidthInteger) -> [UInt8] {
        withUnsafeBytes(of: value.littleEndian) { Array($0) }
    }

    public static func text(_ text: String) -> [UInt8] {
        little(UInt64(text.utf8.count)) + Array(text.utf8)
    }

    private static func encoded(_ value: Value) -> [UInt8] {
        func list(_ type: UInt32, _ count: Int, _ bytes: [UInt8]) -> [UInt8] {
            little(UInt32(9)) + little(type) + little(UInt64(count)) + bytes
        }
        switch value {
        case .uint32(let number): return little(UInt32(4)) + little(number)
        case .float32(let number): return little(UInt32(6)) + little(number.bitPattern)
        case .bool(let flag): return little(UInt32(7)) + [flag ? 1 : 0]
        case .text(let text): return little(UInt32(8)) + self.text(text)
        case .texts(let texts): return list(8, texts.count, texts.flatMap(self.text))
        case .int32s(let numbers): return list(5, numbers.count, numbers.flatMap { little($0) })
        case .float32s(let numbers):
            return list(6, numbers.count, numbers.flatMap { little($0.bitPattern) })
        case .raw(let type, let bytes): return little(type) + bytes
        }
    }
}
