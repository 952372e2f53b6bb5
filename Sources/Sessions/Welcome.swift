import Commands
import Foundation
import Rendering

/// The sentences about the workspace that a session opens, and about its size on disk.
extension Session {
    func welcome() {
        notices += workspace.notices.map { "\($0)" }
        if let unfinished = workspace.unfinished, workspace.isWritable {
            notices.append(Session.sentence(unfinished))
        }
    }

    /// The first lines that a person sees who starts at a prompt.
    public var greeting: String {
        "\(program): `help` lists the commands, `tour` shows a first session\n" + workspaceSentence
    }

    /// The workspace and its content, for a person who starts at a prompt.
    public var workspaceSentence: String {
        if workspace.isEphemeral { return "no workspace: nothing is kept" }
        let name = (workspace.path as NSString).lastPathComponent
        let statements = workspace.history.count
        let state =
            statements == 0 && boundNames.isEmpty
            ? "new"
            : NumberText.count(boundNames.count, "value") + " from "
                + NumberText.count(statements, "statement")
        return "workspace \(name): \(state)" + (isReadOnly ? ", for reading only" : "")
    }

    /// The note about old values, if `written` more bytes make them large.
    func storageNote(written: Int) -> String? {
        guard storageWatch.isDue(after: written),
            let old = try? oldValues(from: storageWatch.limit)
        else { return nil }
        storageWatch.limit = 2 * old.bytes
        return old.sentence
    }
}

/// Decides when the size of old values is looked at: measuring reads the head of every object.
struct StorageWatch {
    /// Old values below this size, in bytes, are not worth a note. It doubles with every note.
    var limit = 1 << 30
    private var written = 0

    /// Whether enough was written since the last look.
    mutating func isDue(after bytes: Int) -> Bool {
        written += bytes
        guard written >= limit / 16 else { return false }
        written = 0
        return true
    }
}
