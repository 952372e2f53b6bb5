import Foundation

/// The address of an OpenAI-compatible API, such as `http://127.0.0.1:8000/v1`.
///
/// A path to an endpoint may stand at its end, as manuals show it; it is removed.
public struct ServerAddress: Sendable, Hashable, Codable {
    /// Without a slash at the end.
    public let text: String

    /// - Throws: `ServerError.address` if it is no http or https address, or contains what would
    ///   end in journals: a user name, a password, a query.
    public init(_ text: String) throws(ServerError) {
        func fault(_ problem: ServerError.AddressProblem) -> ServerError {
            .address(AddressText.safe(text), problem)
        }
        guard text.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F }) else { throw fault(.characters) }
        let schemes = ["http://", "https://"]
        guard let scheme = schemes.first(where: { text.lowercased().hasPrefix($0) }) else {
            throw fault(.scheme)
        }
        guard !text.contains(where: { "?#".contains($0) }) else { throw fault(.query) }
        let rest = text.dropFirst(scheme.count)
        let authority = rest.prefix { $0 != "/" }
        guard !authority.contains("@") else { throw fault(.user) }
        guard !authority.isEmpty, !authority.hasPrefix(":") else { throw fault(.host) }
        var path = rest.dropFirst(authority.count)
        while path.hasSuffix("/") { path.removeLast() }
        for endpoint in ["/chat/completions", "/completions"] where path.hasSuffix(endpoint) {
            path.removeLast(endpoint.count)
            break
        }
        self.text = scheme + authority.lowercased() + path
    }

    public init(from decoder: any Decoder) throws {
        try self.init(try decoder.singleValueContainer().decode(String.self))
    }

    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(text)
    }

    /// Whether all of a key's way to the server is encrypted, or stays in this machine.
    public var isPrivate: Bool { text.hasPrefix("https://") || isLocal }

    /// Whether the server is this machine.
    var isLocal: Bool {
        guard let scheme = text.range(of: "://") else { return false }
        let host = text[scheme.upperBound...].prefix { $0 != "/" }
        let name = host.hasPrefix("[") ? host.prefix { $0 != "]" } + "]" : host.prefix { $0 != ":" }
        // `127.example.org` is a name of anybody's; only numbers are of this machine.
        let isLoopback = name.hasPrefix("127.") && name.allSatisfy { "0123456789.".contains($0) }
        return name == "localhost" || name == "[::1]" || isLoopback
    }
}

/// An address that cannot be used may contain a password, which no message repeats.
private enum AddressText {
    static func safe(_ text: String) -> String {
        let shown = text.prefix(200)
        guard let at = shown.lastIndex(of: "@") else {
            return String(shown.prefix { !"?#".contains($0) })
        }
        let scheme = shown.range(of: "://").map { shown[..<$0.upperBound] } ?? ""
        return scheme + "…" + shown[at...].prefix { !"?#".contains($0) }
    }
}
