import Files
import Foundation
import Glibc
import HDF5Objects

/// The file `journal.jsonl`. It grows by whole lines; no line is ever rewritten.
final class Journal {
    static let version = 1

    /// The content of a journal at opening.
    struct Content {
        var lines: [(line: JournalLine, end: Int)] = []
        /// Lines that cannot be read and have other lines after them.
        var damages: [Damage] = []
        /// The end of the last line that can be read.
        var end = 0
        /// Number of bytes after it: a line whose writing was interrupted, or damage.
        var tail = 0
        /// The same bytes as lines, in case they are damage.
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
    /// The position of the next line.
    private(set) var length = 0
    /// True if damage ends in half a line. The next line must not continue that half line.
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

    /// The version in a journal's first line, if it is newer than this program's.
    static func newerVersion(of path: String) -> Int? {
        guard let file = try? UntrustedFile(path),
            let head = try? file.read(at: 0, count: min(file.size, 1 << 12))
        else { return nil }
        return [UInt8](head.prefix { $0 != 0x0A }).withUnsafeBufferPointer {
            Workspaces.newerVersion(in: $0)
        }
    }

    static func load(_ path: String) throws -> Content {
        var content = Content()
        let bytes: Data
        do throws(ObjectFault) {
            bytes = try UntrustedFile(path).readAll()
        } catch {
            if error == .file(.absent) { return content }
            throw WorkspaceError.fileDamaged(file: path, error)
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
            // A line without its line feed is not complete, even if the rest of it is.
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

    /// Opens the file for appending after `length` bytes and cuts off the bytes after them.
    func open(at length: Int, owesLineFeed: Bool = false) throws {
        descriptor = Glibc.open(path, O_RDWR | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, 0o666)
        var status = stat()
        guard descriptor >= 0, fstat(descriptor, &status) == 0 else {
            throw FileError.last(.write, path)
        }
        guard status.st_mode & S_IFMT == S_IFREG else {
            throw WorkspaceError.fileDamaged(file: path, ObjectFault.file(.notRegular))
        }
        if Int(status.st_size) > length, ftruncate(descriptor, off_t(length)) != 0 {
            throw FileError.last(.write, path)
        }
        self.length = length
        self.owesLineFeed = owesLineFeed
    }

    /// Appends lines in one write.
    ///
    /// - Parameter durable: waits until these lines, and all lines before them, are on the disk.
    func append(_ lines: [JournalLine], durable: Bool) throws {
        let bytes = (owesLineFeed ? [0x0A] : []) + lines.flatMap(\.bytes)
        do {
            try FileSystem.write(bytes, to: descriptor, at: length, path: path)
            if durable, isDurable, fdatasync(descriptor) != 0 {
                throw FileError.last(.write, path)
            }
        } catch {
            // The next opening would cut off half a line anyway; this keeps the file clean.
            ftruncate(descriptor, off_t(length))
            throw error
        }
        length += bytes.count
        owesLineFeed = false
    }
}

/// The file `HEAD`: the present names, and the length of the journal that led to them.
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
        do throws(ObjectFault) {
            bytes = try UntrustedFile(path).readAll()
        } catch {
            if error == .file(.absent) { return .absent }
            throw WorkspaceError.fileDamaged(file: path, error)
        }
        return read(bytes)
    }

    static func read(_ bytes: Data) -> Loaded {
        bytes.withUnsafeBytes { raw in
            var text = raw.bindMemory(to: UInt8.self)
            if text.last == 0x0A { text = UnsafeBufferPointer(rebasing: text.dropLast()) }
            // The version comes first: a newer HEAD may have another form of checksum.
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
