import Foundation

/// A server's key, read from the environment when requests are sent. It is in no value, no journal
/// and no message, and what a server sends back is cleaned of it.
struct ServerKey: Sendable {
    private let key: String?

    /// - Throws: `ServerError.keyMissing`, `.keyCharacters`, `.keyExposed`.
    init(of server: Server, _ environment: [String: String]) throws(ServerError) {
        guard let variable = server.keyVariable else {
            key = nil
            return
        }
        guard let value = environment[variable], !value.isEmpty else {
            throw .keyMissing(variable: variable)
        }
        // A line break would begin another header.
        guard value.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F }) else {
            throw .keyCharacters(variable: variable)
        }
        guard server.address.isPrivate else { throw .keyExposed(server: server.address.text) }
        key = value
    }

    var headers: [String] { key.map { ["Authorization: Bearer \($0)"] } ?? [] }

    /// A server's message without the key.
    func removed(from text: String) -> String {
        guard let key, text.contains(key) else { return text }
        return text.replacingOccurrences(of: key, with: "[key]")
    }

    /// The text of an answer without the key. A shorter one is no secret but a word that stands
    /// for none, as `EMPTY` for a server on this machine, and an answer may have the same word.
    func removed(fromAnswer text: String) -> String {
        key.map { $0.utf8.count >= 12 } ?? false ? removed(from: text) : text
    }

    func removed(from answer: ServerAnswer) -> ServerAnswer {
        var answer = answer
        answer.text = removed(fromAnswer: answer.text)
        answer.finish = answer.finish.map(removed(fromAnswer:))
        answer.model = answer.model.map(removed(fromAnswer:))
        return answer
    }
}
