import Foundation

/// A message between the session and its ranks.
///
/// On a socket or in MPI it is a head of fixed length, a body (a property list of one of the types
/// in `RankTask.swift`) and a payload of bytes, such as a tensor's.
public struct RankMessage: Sendable {
    public enum Kind: UInt8, Sendable {
        /// A rank is ready; the body is a `RankInfo`.
        case hello = 1
        /// Bytes of a tensor or tokenizer for one rank or for all; the body is a `SentPiece`.
        case piece
        /// Work for one rank; the body is a `RankTask`.
        case task
        /// The result of a task; the body is a `RankReply`.
        case reply
        /// A part of a result that is too large for a body; the body is its number.
        case part
        /// How far a rank is; the body is a `RankProgress`. It is also a sign of life.
        case progress
        /// A task failed; the body is a sentence.
        case failure
        /// Ranks give up their task.
        case cancel
        /// Somebody is still there.
        case ping
        /// Ranks end.
        case quit
    }

    /// The receiver that stands for all ranks.
    public static let all: Int32 = -1
    /// Bytes of a head.
    public static let headLength = 32
    /// No body is longer: of other bytes the length is not a message's.
    static let longestBody = 1 << 30
    static let longestPayload = 1 << 40

    public var kind: Kind
    /// The rank that receives it, or that sent it, counted from 1; or `all`.
    public var rank: Int32
    /// How many messages for all ranks come before it: they travel on another way.
    public var after: UInt32
    public var body: Data
    public var payload: Data

    public init(
        _ kind: Kind, rank: Int32, body: Data = Data(), payload: Data = Data(), after: UInt32 = 0
    ) {
        self.kind = kind
        self.rank = rank
        self.after = after
        self.body = body
        self.payload = payload
    }

    public init(_ kind: Kind, rank: Int32, _ body: some Encodable, payload: Data = Data()) throws {
        let encoder = PropertyListEncoder()
        encoder.outputFormat = .binary
        // A property list has a collection at its top.
        self.init(kind, rank: rank, body: try encoder.encode([body]), payload: payload)
    }

    /// - Throws: `RankError.badMessage`.
    public func content<Body: Decodable>(_ type: Body.Type) throws -> Body {
        guard let list = try? PropertyListDecoder().decode([Body].self, from: body),
            let content = list.first
        else { throw RankError.badMessage("a body that is not a \(type)") }
        return content
    }
}

/// The head of a message: all numbers in little-endian order.
public struct RankMessageHead: Sendable, Hashable {
    private static let magic: UInt32 = 0x494D_4153

    public var kind: RankMessage.Kind
    public var rank: Int32
    public var after: UInt32
    public var bodyLength: Int
    public var payloadLength: Int

    public init(_ message: RankMessage) {
        kind = message.kind
        rank = message.rank
        after = message.after
        bodyLength = message.body.count
        payloadLength = message.payload.count
    }

    public var bytes: [UInt8] {
        var bytes: [UInt8] = []
        func append(_ value: some FixedWidthInteger) {
            withUnsafeBytes(of: value.littleEndian) { bytes.append(contentsOf: $0) }
        }
        append(Self.magic)
        append(UInt32(kind.rawValue))
        append(rank)
        append(after)
        append(UInt64(bodyLength))
        append(UInt64(payloadLength))
        return bytes
    }

    /// - Parameter bytes: `RankMessage.headLength` of them.
    /// - Throws: `RankError.badMessage` if they are none of ours, or too long.
    public init(_ bytes: [UInt8]) throws {
        guard bytes.count == RankMessage.headLength else {
            throw RankError.badMessage("a head of \(bytes.count) bytes")
        }
        func number<Number: FixedWidthInteger>(_ type: Number.Type, at place: Int) -> Number {
            bytes.withUnsafeBytes {
                Number(littleEndian: $0.loadUnaligned(fromByteOffset: place, as: type))
            }
        }
        guard number(UInt32.self, at: 0) == Self.magic,
            let kind = RankMessage.Kind(
                rawValue: UInt8(truncatingIfNeeded: number(UInt32.self, at: 4)))
        else { throw RankError.badMessage("a head of another form") }
        let (body, payload) = (number(UInt64.self, at: 16), number(UInt64.self, at: 24))
        guard body <= RankMessage.longestBody, payload <= RankMessage.longestPayload else {
            throw RankError.badMessage("a length of \(max(body, payload)) bytes")
        }
        self.kind = kind
        rank = number(Int32.self, at: 8)
        after = number(UInt32.self, at: 12)
        (bodyLength, payloadLength) = (Int(body), Int(payload))
    }
}
