import Foundation
import HDF5Objects
import JSON

/// One line of the journal: a JSON object whose last field is a checksum of the rest.
///
/// `workspace` opens the file. `begin`, followed by `commit` or `fail`, describes a statement. The
/// lines of a block's statements stand between those two of the block, and name it. `resume` runs
/// a stopped statement again. `checkpoint` and `keep` add values to a statement. `undo` and `redo`
/// move the present. `floor` limits how far undo reaches. `base` lists all names again after
/// damage.
enum JournalLine: Equatable {
    case workspace(version: Int, time: String, program: String)
    case begin(
        sequence: Int, time: String, source: String, seed: String, program: String, machine: String,
        block: Int?)
    case commit(Commit)
    case fail(sequence: Int, time: String, message: String, stopped: String?)
    case resume(sequence: Int, time: String)
    case checkpoint(sequence: Int, time: String, digest: String, progress: String)
    case keep(name: String, sequence: Int, digest: String, bytes: Int)
    case undo(sequence: Int, time: String)
    case redo(sequence: Int, time: String)
    case floor(depth: Int, time: String)
    case base(sequence: Int, time: String, names: [BindingInfo], reason: String)

    struct Commit: Equatable {
        var sequence: Int
        var time: String
        var seconds: Double
        var inputs: [BindingInfo]
        var files: [InputFile]
        var bind: [BindingInfo]
        var unbind: [String]
        /// How far a statement came before a user stopped it; nil for a statement that ran to its
        /// end.
        var stopped: String?
    }

    /// The line's bytes with its checksum and line feed.
    var bytes: [UInt8] { sealed(record) }

    private var record: StoredRecord {
        func number(_ value: Int) -> StoredValue { .number(Double(value)) }
        switch self {
        case .workspace(let version, let time, let program):
            return [
                "line": "workspace", "version": number(version), "time": .text(time),
                "program": .text(program),
            ]
        case .begin(
            let sequence, let time, let source, let seed, let program, let machine, let block):
            var record: StoredRecord = [
                "line": "begin", "sequence": number(sequence), "time": .text(time),
                "source": .text(source), "seed": .text(seed), "program": .text(program),
            ]
            if !machine.isEmpty { record["machine"] = .text(machine) }
            if let block { record["block"] = number(block) }
            return record
        case .commit(let commit):
            var record: StoredRecord = [
                "line": "commit", "sequence": number(commit.sequence), "time": .text(commit.time),
                "seconds": .number(commit.seconds), "inputs": .list(commit.inputs.map(\.stored)),
                "files": .list(commit.files.map(\.stored)),
                "bind": .list(commit.bind.map(\.stored)),
                "unbind": .list(commit.unbind.map(StoredValue.text)),
            ]
            if let stopped = commit.stopped { record["stopped"] = .text(stopped) }
            return record
        case .fail(let sequence, let time, let message, let stopped):
            var record: StoredRecord = [
                "line": "fail", "sequence": number(sequence), "time": .text(time),
                "message": .text(message),
            ]
            if let stopped { record["stopped"] = .text(stopped) }
            return record
        case .resume(let sequence, let time):
            return ["line": "resume", "sequence": number(sequence), "time": .text(time)]
        case .checkpoint(let sequence, let time, let digest, let progress):
            var record: StoredRecord = [
                "line": "checkpoint", "sequence": number(sequence), "time": .text(time),
                "digest": .text(digest),
            ]
            if !progress.isEmpty { record["progress"] = .text(progress) }
            return record
        case .keep(let name, let sequence, let digest, let bytes):
            return [
                "line": "keep", "name": .text(name), "sequence": number(sequence),
                "digest": .text(digest), "bytes": number(bytes),
            ]
        case .undo(let sequence, let time):
            return ["line": "undo", "sequence": number(sequence), "time": .text(time)]
        case .redo(let sequence, let time):
            return ["line": "redo", "sequence": number(sequence), "time": .text(time)]
        case .floor(let depth, let time):
            return ["line": "floor", "depth": number(depth), "time": .text(time)]
        case .base(let sequence, let time, let names, let reason):
            return [
                "line": "base", "sequence": number(sequence), "time": .text(time),
                "names": .list(names.map(\.stored)), "reason": .text(reason),
            ]
        }
    }

    /// Nil unless the bytes are a line of this version with a correct checksum.
    init?(_ bytes: UnsafeBufferPointer<UInt8>) {
        guard let record = unsealed(bytes), let line = Self(record) else { return nil }
        self = line
    }

    private init?(_ value: StoredValue) {
        let time = value["time"]?.textValue ?? ""
        // Numbers of statements stay exact in JSON; a journal may be anybody's.
        let number = { (key: String) in
            value[key]?.intValue.flatMap { (0...1 << 53).contains($0) ? $0 : nil }
        }
        let sequence = number("sequence")
        let text = { (key: String) in value[key]?.textValue }
        switch (text("line"), sequence) {
        case ("workspace", _):
            guard let version = value["version"]?.intValue else { return nil }
            self = .workspace(version: version, time: time, program: text("program") ?? "")
        case ("begin", let sequence?):
            guard let source = text("source"), let seed = text("seed") else { return nil }
            self = .begin(
                sequence: sequence, time: time, source: source, seed: seed,
                program: text("program") ?? "", machine: text("machine") ?? "",
                block: number("block"))
        case ("commit", let sequence?):
            guard let seconds = value["seconds"]?.numberValue,
                let inputs = all(value["inputs"], BindingInfo.init),
                let files = all(value["files"], InputFile.init),
                let bind = all(value["bind"], BindingInfo.init),
                let unbind = all(value["unbind"], \.textValue)
            else { return nil }
            self = .commit(
                Commit(
                    sequence: sequence, time: time, seconds: seconds, inputs: inputs, files: files,
                    bind: bind, unbind: unbind, stopped: text("stopped")))
        case ("fail", let sequence?):
            guard let message = text("message") else { return nil }
            self = .fail(
                sequence: sequence, time: time, message: message, stopped: text("stopped"))
        case ("resume", let sequence?): self = .resume(sequence: sequence, time: time)
        case ("checkpoint", let sequence?):
            guard let digest = text("digest"), isDigest(digest) else { return nil }
            self = .checkpoint(
                sequence: sequence, time: time, digest: digest, progress: text("progress") ?? "")
        case ("keep", let sequence?):
            guard let name = text("name"), let digest = text("digest"), isDigest(digest),
                let bytes = byteCount(value["bytes"])
            else { return nil }
            self = .keep(name: name, sequence: sequence, digest: digest, bytes: bytes)
        case ("undo", let sequence?): self = .undo(sequence: sequence, time: time)
        case ("redo", let sequence?): self = .redo(sequence: sequence, time: time)
        case ("floor", _):
            guard let depth = value["depth"]?.intValue else { return nil }
            self = .floor(depth: depth, time: time)
        case ("base", let sequence?):
            guard let names = all(value["names"], BindingInfo.init) else { return nil }
            self = .base(
                sequence: sequence, time: time, names: names, reason: text("reason") ?? "")
        default: return nil
        }
    }
}

/// The items of a list; nil unless every item is valid.
func all<Item>(_ value: StoredValue?, _ item: (StoredValue) -> Item?) -> [Item]? {
    guard let list = value?.listValue else { return nil }
    let items = list.compactMap(item)
    return items.count == list.count ? items : nil
}

// MARK: Checksums

private let sealStart = Array(#","check":""#.utf8)
private let sealLength = 16

/// A record as one line of JSON. Its last field has the first digits of the SHA-256 of everything
/// before it.
func sealed(_ record: StoredRecord) -> [UInt8] {
    var writer = JSON.Writer()
    // Records of the journal have no arrays, repeated keys or deep nesting, so this cannot fail.
    try? StoredValue.record(record).write(to: &writer) { _, _ in "" }
    var bytes = writer.bytes
    bytes.removeLast()
    let sum = sha256(bytes).prefix(sealLength)
    bytes += sealStart
    bytes += sum.utf8
    bytes += Array("\"}\n".utf8)
    return bytes
}

/// The record in a sealed line (without its line feed); nil if a single bit of the line differs.
func unsealed(_ bytes: UnsafeBufferPointer<UInt8>) -> StoredValue? {
    let tail = sealStart.count + sealLength + 2
    guard bytes.count > tail else { return nil }
    let body = UnsafeBufferPointer(rebasing: bytes[..<(bytes.count - tail)])
    let seal = bytes[(bytes.count - tail)...]
    guard seal.starts(with: sealStart), seal.suffix(2).elementsEqual("\"}".utf8),
        seal.dropFirst(sealStart.count).prefix(sealLength)
            .elementsEqual(sha256(body).prefix(sealLength).utf8)
    else { return nil }
    return (try? JSON.read(bytes)).map { StoredValue($0) }
}

/// The version in a line, if it is newer than this program's. If the checksum proves that a line of
/// this version differs only in the digits of its version, the line is damaged and names no
/// version.
func newerVersion(in bytes: UnsafeBufferPointer<UInt8>) -> Int? {
    guard let version = (try? JSON.read(bytes))?["version"]?.integer,
        version > Journal.version
    else { return nil }
    let (before, digits) = (Array(#""version":"#.utf8), Array("\(version)".utf8))
    let starts = bytes.indices.filter { bytes[$0...].starts(with: before + digits) }
    for start in starts {
        var ours = Array(bytes)
        let place = start + before.count
        ours.replaceSubrange(place..<place + digits.count, with: "\(Journal.version)".utf8)
        if ours.withUnsafeBufferPointer({ unsealed($0) }) != nil { return nil }
    }
    return version
}

/// The present time in the journal's form: UTC to the millisecond.
func timeStamp() -> String {
    var now = timespec()
    clock_gettime(CLOCK_REALTIME, &now)
    var parts = tm()
    gmtime_r(&now.tv_sec, &parts)
    var text = [CChar](repeating: 0, count: 32)
    strftime(&text, 32, "%Y-%m-%dT%H:%M:%S", &parts)
    let milliseconds = 1000 + now.tv_nsec / 1_000_000
    let head = String(
        decoding: text.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    return "\(head).\(String(milliseconds).dropFirst())Z"
}
