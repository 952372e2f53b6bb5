/// Why a server gave no text, in sentences that name it and say what to do. None contains a key.
public enum ServerError: Error, Sendable, Hashable {
    public enum AddressProblem: Sendable, Hashable { case characters, scheme, query, user, host }

    case address(String, AddressProblem)
    case keyMissing(variable: String)
    case keyCharacters(variable: String)
    /// A key would cross the network unencrypted.
    case keyExposed(server: String)
    case unreachable(server: String, reason: String)
    case certificate(server: String, reason: String)
    /// No whole answer after all attempts.
    case noAnswer(server: String, reason: String, attempts: Int)
    case refused(server: String, status: Int, message: String)
    case redirected(server: String, to: String)
    case tooLarge(server: String, limit: Int)
    /// The server asks for more patience than a person has.
    case mustWait(server: String, seconds: Int)
    /// The body is no answer of the API.
    case malformed(server: String, problem: String)
    /// A replay asks no server.
    case notKept(server: String, count: Int)
}

extension ServerError: CustomStringConvertible {
    public var description: String {
        switch self {
        case .address(let text, let problem): address(text, problem)
        case .keyMissing(let variable):
            "the environment variable \(variable) is not set: it should hold the server's key"
        case .keyCharacters(let variable):
            "the environment variable \(variable) holds a blank, a line break or another character "
                + "that no key has"
        case .keyExposed(let server):
            "a key would go to \(server) unencrypted, where others can read it: use https"
        case .unreachable(let server, let reason):
            "no server answers at \(server) (\(reason)): is it started, and is the address right?"
        case .certificate(let server, let reason):
            "\(server) does not prove who it is (\(reason)), so nothing was sent"
        case .noAnswer(let server, let reason, let attempts):
            "\(server) gave no answer in \(attempts == 1 ? "one attempt" : "\(attempts) attempts"); "
                + "the last time \(reason)"
        case .refused(let server, 401, let message), .refused(let server, 403, let message):
            "\(server) does not accept the key\(said(message)): key= names the environment variable "
                + "that holds it"
        case .refused(let server, 404, let message):
            "\(server) has no such model or address\(said(message)): url= usually ends in /v1"
        case .refused(let server, let status, let message):
            "\(server) refuses the request with status \(status)\(said(message))"
        case .redirected(let server, let target):
            "\(server) points to another address, which is not followed: \(target)"
        case .tooLarge(let server, let limit):
            "the answer of \(server) is longer than \(limit >> 20) MiB, so it was not read"
        case .mustWait(let server, let seconds):
            "\(server) asks to wait \(seconds) seconds before the next request: try again then"
        case .malformed(let server, let problem):
            "the answer of \(server) is not one of this API: \(problem)"
        case .notKept(let server, let count):
            "\(count == 1 ? "an answer" : "\(count) answers") of \(server) are not among those that "
                + "were kept, and a replay asks no server"
        }
    }

    private func address(_ text: String, _ problem: AddressProblem) -> String {
        let reason =
            switch problem {
            case .characters: "it may have no blanks, control characters or letters beyond ASCII"
            case .scheme: "it begins with http:// or https://"
            case .query: "it may not have a ? or #, because it is written to the journal"
            case .user:
                "it may not have a user name or password, which would stand in the journal, as this "
                    + "statement does now: key= names the environment variable that holds a key"
            case .host: "it names no host"
            }
        return "\"\(text)\" is not a server's address: \(reason)"
    }

    private func said(_ message: String) -> String { message.isEmpty ? "" : " (\"\(message)\")" }
}
