import Foundation
import Glibc

/// The file `journal.jsonl`: it grows by whole lines and nothing in it is ever rewritten.
final class Journal {
    static let version = 1

    /// What a journal holds when it is opened.
    struct Content {
        var lines: [(line: JournalLine, end: Int)] = []
        /// Lines that cannot be read, with others after them.
        var damages: [Damage] = []
        /// Where the last line that can be read ends.
        var end = 0
        /// Bytes after it: a line that was being written when its process died, or damage.
        var tail = 0
        /// The same bytes as lines, for when they turn out to be damage.
        var tailDamages: [Damage] = []
        /// Whether the file's last byte is a line feed (or there is none).
        var endsInLineFeed = true
        var exists = false
    }

    struct Damage: Equatable {
        var lineNumber: Int
        var offset: Int
        var bytes: Int
    }

    let path: String
    private let isDurable: Bool
    private var descriptor: Int32 = -1
    /// Where the next line goes.
    private(set) var length = 0
    /// Set where damage ends in half a line, which the next line must not continue.
    private var owesLineFeed = false

    init(path: String, isDurable: Bool) {
        self.path = path
        self.isDurable = isDurable
    }

    deinit { close() }

    func close() {
        if descriptor >= 0 { Glibc.close(descriptor) }
        descriptor = -1
    }

    /// The version that a journal's first line names, where it is newer than ours.
    static func newerVersion(of path: String) -> Int? {
        guard let file = try? RegularFile(path),
            let head = try? file.read(at: 0, count: min(file.size, 1 << 12))
        else { return nil }
        return [UInt8](head.prefix { $0 != 0x0A }).withUnsafeBufferPointer {
            Workspaces.newerVersion(in: $0)
        }
    }

    static func load(_ path: String) throws -> Content {
        var content = Content()
        let bytes: Data
        do {
            bytes = try RegularFile(path).readAll()
        } catch ObjectFault.absent {
            return content
        } catch let fault as ObjectFault {
            throw WorkspaceError.fileDamaged(file: path, fault)
        }
        content.exists = true
        bytes.withUnsafeBytes { raw in
            read(raw.bindMemory(to: UInt8.self), into: &content)
        }
        return content
    }

    static func read(_ bytes: UnsafeBufferPointer<UInt8>, into content: inout Content) {
        var start = 0
        var number = 0
        var pending: [Damage] = []
        while start < bytes.count {
            number += 1
            let end = bytes[start...].firstIndex(of: 0x0A)
            let text = UnsafeBufferPointer(rebasing: bytes[start..<(end ?? bytes.count)])
            // Without its line feed a line is not whole, even if the rest of it is.
            if let end, let line = JournalLine(text) {
                content.damages += pending
                pending = []
                content.lines.append((line, end + 1))
                content.end = end + 1
            } else {
                pending.append(Damage(lineNumber: number, offset: start, bytes: text.count))
            }
            start = (end ?? bytes.count) + 1
        }
        content.tail = bytes.count - content.end
        content.endsInLineFeed = bytes.last.map { $0 == 0x0A } ?? true
        content.tailDamages = pending
    }

    /// Opens the file for appending after `length` bytes; what is behind them is cut off.
    func open(at length: Int, owesLineFeed: Bool = false) throws {
        descriptor = Glibc.open(path, O_RDWR | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, 0o666)
        var status = stat()
        guard descriptor >= 0, fstat(descriptor, &status) == 0 else {
            throw WorkspaceError.cannotWrite(file: path, reason: sentence(errno: errno))
        }
        guard status.st_mode & S_IFMT == S_IFREG else {
            throw WorkspaceError.fileDamaged(file: path, ObjectFault.notAFile)
        }
        if Int(status.st_size) > length, ftruncate(descriptor, off_t(length)) != 0 {
            throw WorkspaceError.cannotWrite(file: path, reason: sentence(errno: errno))
        }
        self.length = length
        self.owesLineFeed = owesLineFeed
    }

    /// Appends lines by one write.
    ///
    /// - Parameter durable: waits until they, and all before them, are on the disk.
    func append(_ lines: [JournalLine], durable: Bool) throws {
        let bytes = (owesLineFeed ? [0x0A] : []) + lines.flatMap(\.bytes)
        do {
            try Files.write(bytes, to: descriptor, at: length, path: path)
            if durable, isDurable, fdatasync(descriptor) != 0 {
                throw WorkspaceError.cannotWrite(file: path, reason: sentence(errno: errno))
            }
        } catch {
            // Half a line would be cut off at the next opening anyway; this keeps the file tidy.
            ftruncate(descriptor, off_t(length))
            throw error
        }
        length += bytes.count
        owesLineFeed = false
    }
}

/// The file `HEAD`: the names bound now, and how much of the journal they account for.
struct Head: Equatable {
    var sequence: Int
    /// The length of the journal that led to these names, in bytes.
    var position: Int
    var names: [BindingInfo]

    var bytes: [UInt8] {
        sealed([
            "line": "head", "version": .number(Double(Journal.version)),
            "sequence": .number(Double(sequence)), "position": .number(Double(position)),
            "names": .list(names.map(\.stored)),
        ])
    }

    enum Loaded: Equatable {
        case absent
        case damaged
        case newer(Int)
        case head(Head)
    }

    static func load(_ path: String) throws -> Loaded {
        let bytes: Data
        do {
            bytes = try RegularFile(path).readAll()
        } catch ObjectFault.absent {
            return .absent
        } catch let fault as ObjectFault {
            throw WorkspaceError.fileDamaged(file: path, fault)
        }
        return read(bytes)
    }

    static func read(_ bytes: Data) -> Loaded {
        bytes.withUnsafeBytes { raw in
            var text = raw.bindMemory(to: UInt8.self)
            if text.last == 0x0A { text = UnsafeBufferPointer(rebasing: text.dropLast()) }
            // The version comes first: a newer HEAD may be sealed in a newer way.
            if let version = newerVersion(in: text) { return .newer(version) }
            guard let value = unsealed(text), let sequence = value["sequence"]?.intValue,
                let position = value["position"]?.intValue,
                let names = all(value["names"], BindingInfo.init),
                position >= 0, sequence >= 0
            else { return .damaged }
            return .head(Head(sequence: sequence, position: position, names: names))
        }
    }
}
