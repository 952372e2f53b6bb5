import CommandLanguage
import FoundationEssentials
import Glibc
import Sessions

/// Reads and parses a script; `-` is standard input.
///
/// - Throws: `ScriptError`.
public func readScript(_ path: String) throws -> Program {
    let name = path == "-" ? "stdin" : path
    let file = path == "-" ? dup(0) : open(path, O_RDONLY | O_CLOEXEC)
    guard file >= 0 else {
        throw ScriptError(path: name, reason: String(cString: strerror(errno)))
    }
    defer { close(file) }
    var status = stat()
    if fstat(file, &status) == 0, status.st_mode & S_IFMT == S_IFDIR {
        throw ScriptError(path: name, reason: "this is a folder, not a script")
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
            throw ScriptError(path: name, reason: String(cString: strerror(errno)))
        }
    }
    return try Session.program(ofScript: bytes, path: name)
}
