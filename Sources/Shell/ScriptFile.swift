import CommandLanguage
import FoundationEssentials
import Glibc
import Sessions

/// The reason why a script cannot be read, as a sentence.
public struct ScriptError: Error, CustomStringConvertible {
    public var path: String
    public var reason: String
    public var description: String { "\(path): \(reason)" }
}

/// Reads and parses a script; `-` is standard input. Invalid UTF-8 becomes U+FFFD, and the parser
/// then points at it.
public func readScript(_ path: String) throws -> Program {
    let file = path == "-" ? dup(0) : open(path, O_RDONLY | O_CLOEXEC)
    guard file >= 0 else {
        throw ScriptError(path: path, reason: String(cString: strerror(errno)))
    }
    defer { close(file) }
    var status = stat()
    if fstat(file, &status) == 0, status.st_mode & S_IFMT == S_IFDIR {
        throw ScriptError(path: path, reason: "this is a folder, not a script")
    }
    var bytes: [UInt8] = []
    var chunk = [UInt8](repeating: 0, count: 65_536)
    while true {
        let count = read(file, &chunk, chunk.count)
        if count > 0 {
            bytes += chunk[..<count]
        } else if count == 0 {
            break
        } else if errno != EINTR {
            throw ScriptError(path: path, reason: String(cString: strerror(errno)))
        }
    }
    if bytes.starts(with: [0x89, 0x48, 0x44, 0x46]) {
        throw ScriptError(
            path: path, reason: "this is a packed workspace; `unpack` makes a workspace of it")
    }
    if bytes.prefix(4096).contains(0) {
        throw ScriptError(path: path, reason: "this is not text, so it is no script")
    }
    let name = path == "-" ? "stdin" : path
    return Session.parse(
        String(decoding: bytes, as: UTF8.self), origin: SourceOrigin(file: name))
}
