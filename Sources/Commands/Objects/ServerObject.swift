import HDF5Objects
import Rendering
import Servers
import Values

/// A server that answers prompts: its address and how it is asked.
struct ServerObject: StorableObject {
    static let kind = "server"

    var server: Server

    static let fields: [Field<ServerObject>] = [
        Field("url", "where it is") { .text($0.server.address.text) },
        Field("model", "the model that it is asked for") { .text($0.server.model) },
        Field("api", "chat or completions") { .text($0.server.api.rawValue) },
        Field("key", "the environment variable with its key") { Value($0.server.keyVariable) },
        Field("concurrency", "requests underway at once") { Value($0.server.concurrency) },
        Field("timeout", "seconds for one answer") { .number($0.server.timeout) },
        Field("retries", "how often a request is sent again") { Value($0.server.retries) },
        Field("price", "money a million tokens, read and written; null if none was given") {
            $0.server.price.map { .list([.number($0.input), .number($0.output)]) } ?? .null
        },
    ]

    var summary: String { "\(server.model) at \(server.address.text)" }

    func document(_ appearance: Appearance) -> Document {
        var document = Document("server: " + summary)
        document.line(
            "by \(server.api.rawValue), \(server.concurrency) at once, "
                + "\(NumberText.significant(server.timeout)) s for an answer, "
                + NumberText.count(server.retries, "repetition")
                + (server.keyVariable.map { ", with the key in \($0)" } ?? ", without a key"))
        if let price = server.price {
            document.line(
                "a million tokens cost \(NumberText.significant(price.input)) to read and "
                    + "\(NumberText.significant(price.output)) to write")
        }
        return document
    }

    func display(_ appearance: Appearance) -> Display { textDisplay(appearance) }

    var jsonValue: Value { .record(fieldRecord) }

    func stored() throws -> StoredValue { try StoredValue(encoding: server) }

    static func restored(_ value: StoredValue) throws -> ServerObject {
        let server = try value.restored(Server.self, kind: kind)
        guard server.isWithinLimits else {
            throw StorageError(kind: kind, problem: "a setting lies outside of its limits")
        }
        return ServerObject(server: server)
    }
}
