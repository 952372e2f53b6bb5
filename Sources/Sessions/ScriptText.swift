import CommandLanguage

/// The reason why a file cannot be run as a script, as a sentence.
public struct ScriptError: Error, CustomStringConvertible {
    public var path: String
    public var reason: String

    public init(path: String, reason: String) {
        self.path = path
        self.reason = reason
    }

    public var description: String { "\(path): \(reason)" }
}

extension Session {
    /// The program of a script's bytes. Invalid UTF-8 becomes U+FFFD, and the parser then points at
    /// it.
    ///
    /// - Throws: `ScriptError` for a packed workspace and for bytes that are not text.
    public static func program(
        ofScript bytes: some Collection<UInt8>, path: String
    ) throws(ScriptError) -> Program {
        if bytes.starts(with: [0x89, 0x48, 0x44, 0x46]) {
            throw ScriptError(
                path: path, reason: "this is a packed workspace; `unpack` makes a workspace of it")
        }
        if bytes.prefix(4096).contains(0) {
            throw ScriptError(path: path, reason: "this is not text, so it is no script")
        }
        return parse(
            String(decoding: bytes, as: UTF8.self), origin: SourceOrigin(file: path))
    }
}
