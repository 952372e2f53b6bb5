import FoundationEssentials
import Glibc
import JSON

/// The history of typed blocks, kept between runs: one line of JSON for each entry, only ever
/// appended. So several shells can share the file, and a killed shell loses nothing.
public final class HistoryFile {
    /// Number of entries that are read back.
    public static let limit = 10_000

    public let path: String
    /// The reason why the last write failed, as a sentence; nil without a failure.
    public private(set) var trouble: String?
    private var last: String?

    public init(path: String) { self.path = path }

    /// `$XDG_STATE_HOME/sami/history`, or `~/.local/state/sami/history`; nil without a home.
    public static func defaultPath(environment: [String: String]) -> String? {
        // According to the XDG specification a relative path is ignored.
        if let state = environment["XDG_STATE_HOME"], state.hasPrefix("/") {
            return state + "/sami/history"
        }
        guard let home = environment["HOME"], !home.isEmpty else { return nil }
        return home + "/.local/state/sami/history"
    }

    /// The last entries, the oldest first. Unreadable lines are skipped.
    public func load() -> [String] {
        guard let data = FileManager.default.contents(atPath: path) else { return [] }
        let entries = data.split(separator: UInt8(ascii: "\n")).suffix(HistoryFile.limit)
            .compactMap { line in (try? JSON.read(line))?["text"]?.string }
        last = entries.last
        return entries
    }

    /// Appends a block as one entry, unless it equals the previous entry.
    public func append(_ block: String) {
        guard !block.allSatisfy(\.isWhitespace), block != last else { return }
        last = block
        // The time is in seconds since 1970.
        let entry: JSON = [
            "text": .string(block), "time": .integer(Int(Date().timeIntervalSince1970)),
        ]
        trouble = write(Data((entry.compact + "\n").utf8))
    }

    private func write(_ line: Data) -> String? {
        let folder = path.split(separator: "/", omittingEmptySubsequences: false).dropLast()
            .joined(separator: "/")
        // Only the owner may read the typed text.
        try? FileManager.default.createDirectory(
            atPath: folder, withIntermediateDirectories: true,
            attributes: [.posixPermissions: 0o700])
        let file = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0o600)
        guard file >= 0 else {
            return "the history is not kept: \(path): \(String(cString: strerror(errno)))"
        }
        defer { close(file) }
        // One write for each line, so that lines of shells that share the file never mix.
        let written = line.withUnsafeBytes { Glibc.write(file, $0.baseAddress, $0.count) }
        return written == line.count
            ? nil : "the history is not kept: \(path): \(String(cString: strerror(errno)))"
    }
}
