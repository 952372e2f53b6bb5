import Foundation
import Glibc
import NumberTypes

/// Errors of a workspace. Each case becomes a sentence below.
public enum WorkspaceError: Error {
    // Values
    case shapeMismatch(type: DType, shape: [Int], bytes: Int)
    case elementMismatch(type: DType, asked: String)
    case kindNotUsable(String)
    case nameNotUsable(String)
    case nameRepeated(String)
    case textTooLarge(kind: String, bytes: Int)
    case valueNotStorable(kind: String, any Error)

    // Files
    case diskFull(file: String, needed: Int, free: Int)
    case fileDamaged(file: String, any Error)
    case alreadyThere(String)
    case notAFolder(String)

    // The workspace as a whole
    case absent(String)
    case notAWorkspace(String)
    case newer(path: String, version: Int)
    case readOnly(path: String, reason: String?)
    case closed(String)

    // Names and statements
    case unknownName(String)
    case notStored(name: String, sequence: Int, source: String)
    case unknownDigest(String)
    case damaged(name: String, file: String, any Error, sequence: Int?, source: String?)
    case statementRunning(sequence: Int, source: String)
    case noSuchStatement(Int)
    case nothingToUndo(kept: Bool)
    case nothingToRedo
    case valueChanged(name: String)
    case stateInDoubt(path: String)
}

extension WorkspaceError: CustomStringConvertible {
    public var description: String {
        switch self {
        case .shapeMismatch(let type, let shape, let bytes):
            "\(bytes) bytes are not an array of \(type.rawValue) with shape \(shape)."
        case .elementMismatch(let type, let asked):
            "An array of \(type.rawValue) cannot be read as \(asked)."
        case .kindNotUsable(let kind):
            "'\(shortened(kind))' cannot be the kind of a value: it takes 1 to 255 bytes without NUL."
        case .nameNotUsable(let name):
            "'\(shortened(name))' cannot be a name: it takes 1 to 255 bytes without NUL."
        case .nameRepeated(let name): "The name '\(name)' is bound twice in one statement."
        case .textTooLarge(let kind, let bytes):
            "The text of this \(kind) takes \(bytes) bytes; one value can hold 2 GiB. Split it."
        case .valueNotStorable(let kind, let reason):
            "This \(kind) cannot be stored: \(reason)."

        case .diskFull(let file, let needed, let free):
            "'\(file)' needs \(readable(needed)), but the disk has \(readable(free)) free. Free "
                + "some space, drop old values with gc, or keep the workspace elsewhere."
        case .fileDamaged(let file, let fault): "'\(file)' cannot be used: \(fault)."
        case .alreadyThere(let path):
            "'\(path)' already exists. Choose another name or remove it."
        case .notAFolder(let path): "'\(path)' is not a folder."

        case .absent(let path): "There is no workspace at '\(path)'."
        case .notAWorkspace(let path):
            "'\(path)' is a folder with other files in it and no workspace. Choose another path."
        case .newer(let path, let version):
            "The workspace '\(path)' has version \(version); this program knows versions up to "
                + "\(Journal.version). Open it with a newer sami."
        case .readOnly(let path, let reason):
            "The workspace '\(path)' is open read-only\(reason.map { ": \($0)" } ?? "")."
        case .closed(let path): "The workspace '\(path)' has been closed."

        case .unknownName(let name): "Nothing is bound to '\(name)'."
        case .notStored(let name, let sequence, let source):
            "The value of '\(name)' is not stored: it was too large to write at every statement. "
                + "Statement \(sequence), `\(shortened(source))`, makes it again."
        case .unknownDigest(let digest): "There is no object \(digest.prefix(12))… here."
        case .damaged(let name, let file, let fault, let sequence, let source):
            "The value of '\(name)' cannot be read: \(fault). Its file is '\(file)'."
                + madeBy(sequence, source)
        case .statementRunning(let sequence, let source):
            "Statement \(sequence), `\(shortened(source))`, is still running."
        case .noSuchStatement(let sequence): "Statement \(sequence) is not the one that is running."
        case .nothingToUndo(let kept):
            kept
                ? "There is nothing to undo."
                : "No earlier state is kept. `replay` runs the statements again, up to any of them."
        case .nothingToRedo: "There is nothing to redo."
        case .valueChanged(let name):
            "The given value of '\(name)' differs from the value that the name has."
        case .stateInDoubt(let path):
            "HEAD is missing and the journal is damaged, so nobody knows which objects "
                + "'\(path)' still needs. Nothing was removed. Pack the workspace, or run a statement first."
        }
    }

    private func madeBy(_ sequence: Int?, _ source: String?) -> String {
        guard let sequence else { return "" }
        guard let source, !source.isEmpty else { return " Statement \(sequence) made it." }
        return " Statement \(sequence), `\(shortened(source))`, makes it again."
    }
}

extension ObjectFault: CustomStringConvertible {
    var description: String {
        switch self {
        case .file(.absent): "the file is missing"
        case .file(.notRegular), .file(.isFolder):
            "it is a link, a folder or a device, not a plain file"
        case .file(.tooShort(let expected, let found)):
            "it is truncated (\(found) of \(expected) bytes)"
        case .file(let reason): "\(reason)"
        case .notHDF5: "it does not begin like an HDF5 file"
        case .format(let found):
            found.map { "it is '\(shortened($0))' and not '\(ObjectFile.format)'" }
                ?? "it is an HDF5 file that this program did not write"
        case .structure(let what):
            "its HDF5 structure is not one that this program writes (\(what))"
        case .link(let path): "'\(path)' is a link, and links are not followed"
        case .missing(let path): "'\(path)' is missing in it"
        case .unexpected(let path): "'\(path)' does not belong in it"
        case .type(let path): "the type of '\(path)' is not one that this program writes"
        case .shape(let path): "the shape of '\(path)' does not fit its size"
        case .checksum(let path): "the bytes of '\(path)' differ from their checksum"
        case .json(let error): "its JSON is wrong: \(error)"
        case .jsonNames(let path): "its JSON names '\(shortened(path))', which is not there"
        case .digest: "its content differs from its digest"
        case .seal: "the checksum of its structure is wrong"
        case .array(let path, _, let fault): "array '\(shortened(path))': \(fault)"
        }
    }
}

extension StoredValueFault: CustomStringConvertible {
    var description: String {
        switch self {
        case .tooDeep: "it is nested more than \(StoredValue.maximumDepth) deep"
        case .duplicateKey(let key): "the key '\(shortened(key))' occurs twice"
        }
    }
}

/// A message for the user: a recovery, damage, or a lock that was taken over.
public struct Notice: Sendable, Equatable, CustomStringConvertible {
    public enum Kind: Sendable, Equatable { case lock, recovery, damage, storage }

    public let kind: Kind
    public let description: String

    init(_ kind: Kind, _ description: String) {
        self.kind = kind
        self.description = description
    }
}

extension LockHolder: CustomStringConvertible {
    public var description: String { "process \(process) on \(host), since \(since)" }
}

func readable(_ bytes: Int) -> String {
    let units = ["bytes", "KiB", "MiB", "GiB", "TiB"]
    var value = Double(bytes)
    var unit = 0
    while value >= 1024, unit + 1 < units.count {
        value /= 1024
        unit += 1
    }
    if unit == 0 { return "\(bytes) bytes" }
    let tenths = Int((value * 10).rounded())
    return "\(tenths / 10).\(tenths % 10) \(units[unit])"
}

/// External text for use in a sentence: one line of limited length.
func shortened(_ text: String) -> String {
    let line = text.split(whereSeparator: \.isNewline).first.map(String.init) ?? ""
    let isWhole = line.utf8.count == text.utf8.count
    if isWhole, line.count <= 60 { return line }
    return String(line.prefix(57)) + "…"
}
