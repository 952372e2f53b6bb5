import Foundation
import JSON
import Notebooks

/// A message of Jupyter, version 5.4 of the format: four dictionaries, and the addresses that a
/// reply goes back to.
struct Message: Sendable {
    static let version = "5.4"
    private static let delimiter = Array("<IDS|MSG>".utf8)
    /// A notebook's cell of ten megabytes passes.
    private static let limits = JSON.Limits(depth: 64, bytes: 128 << 20)

    /// Where the request came from; the topic on iopub.
    var addresses: [[UInt8]]
    var header: JSON
    var parent: JSON
    var content: JSON

    var type: String { header["msg_type"]?.string ?? "" }
    /// "execute_reply" for "execute_request".
    var replyType: String { type.replacing("_request", with: "_reply") }

    /// The reason why a message is dropped.
    enum Fault: Error, Equatable {
        case noDelimiter
        case tooFewParts
        case wrongSignature
        case repeated
        case notJSON
        case noType
    }

    /// A new message of this process.
    init(_ type: String, _ content: [JSON.Member], to addresses: [[UInt8]], parent: JSON) {
        self.addresses = addresses
        self.parent = parent
        self.content = .object(content)
        header = [
            "msg_id": .string(UUID().uuidString.lowercased()), "msg_type": .string(type),
            "username": "sami", "session": .string(Message.session),
            "date": JSON.time(.now),
            "version": .string(Message.version),
        ]
    }

    /// The id of this process among the senders of messages.
    private static let session = UUID().uuidString.lowercased()

    /// Reads the parts of a message and checks its signature.
    init(_ parts: [[UInt8]], _ signer: Signer) throws(Fault) {
        guard let place = parts.firstIndex(of: Message.delimiter) else { throw .noDelimiter }
        // A signature and four dictionaries; buffers after them are of no use here.
        guard parts.count - place >= 6 else { throw .tooFewParts }
        let dictionaries = parts[(place + 2)..<(place + 6)]
        guard signer.accepts(parts[place + 1], of: dictionaries) else { throw .wrongSignature }
        var read: [JSON] = []
        for bytes in dictionaries {
            // A browser may send half of a surrogate pair from a cell.
            let json = try? JSON.read(
                bytes, limits: Message.limits, repairs: [.loneSurrogates])
            guard let json, json.members != nil else { throw .notJSON }
            read.append(json)
        }
        (addresses, header, parent, content) = (Array(parts[..<place]), read[0], read[1], read[3])
        guard let type = header["msg_type"]?.string, !type.isEmpty else { throw .noType }
    }

    /// The parts to send.
    func parts(_ signer: Signer) -> [[UInt8]] {
        let dictionaries = [header, parent, [:], content].map { Array($0.compact.utf8) }
        return addresses + [Message.delimiter, signer.signature(of: dictionaries)] + dictionaries
    }
}

extension Message.Fault: CustomStringConvertible {
    var description: String {
        switch self {
        case .noDelimiter: "it has no <IDS|MSG>"
        case .tooFewParts: "parts are missing"
        case .wrongSignature: "its signature is wrong"
        case .repeated: "it has come before"
        case .notJSON: "a part is not an object in JSON"
        case .noType: "it has no msg_type"
        }
    }
}
