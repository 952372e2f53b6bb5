import Foundation
import Glibc
import HDF5Objects

/// Errors of a workspace. Each case becomes a sentence below.
public enum WorkspaceError: Error {
    // Names
    case nameNotUsable(String)
    case nameRepeated(String)

    // Files
    case diskFull(file: String, needed: Int, free: Int)
    case fileDamaged(file: String, any Error)
    case alreadyThere(String)
    case answerDamaged(file: String)
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
        case .nameNotUsable(let name):
            "'\(shortened(name))' cannot be a name: it takes 1 to 255 bytes without NUL."
        case .nameRepeated(let name): "The name '\(name)' is bound twice in one statement."

        case .diskFull(let file, let needed, let free):
            "'\(file)' needs \(readable(needed)), but the disk has \(readable(free)) free. Free "
                + "some space, drop old values with gc, or keep the workspace elsewhere."
        case .fileDamaged(let file, let fault): "'\(file)' cannot be used: \(fault)."
        case .answerDamaged(let file):
            "'\(file)' holds an answer of a server and is damaged. Remove it, and the server is asked "
                + "again."
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
