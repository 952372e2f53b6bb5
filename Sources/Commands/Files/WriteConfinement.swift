import CommandLanguage
import Foundation

extension Invocation {
    /// The absolute path of a file or folder that the statement is to write.
    ///
    /// - Throws: where the statement is a stranger's and leads out of the folder that it may write in,
    ///   through `..` or through links.
    func writablePath(_ role: String) throws -> String? {
        guard let path = try path(role) else { return nil }
        guard let folder = session.writableFolder else { return path }
        guard let place = Self.resolved(path), let root = Self.resolved(folder),
            place == root || place.hasPrefix(root == "/" ? root : root + "/")
        else {
            throw error(
                "a statement that is done again writes in \(folder) only, and this one leads to "
                    + path,
                suggestion: "--allow-writes lets it", at: role)
        }
        return path
    }

    /// A path without links: what exists of it is resolved, the rest is taken as written.
    private static func resolved(_ path: String) -> String? {
        var head = (path as NSString).standardizingPath
        var tail: [String] = []
        while true {
            if let found = realpath(head, nil) {
                defer { free(found) }
                return ([String(cString: found)] + tail.reversed()).joined(separator: "/")
                    .replacingOccurrences(of: "//", with: "/")
            }
            // A link that leads nowhere yet would be followed once something is there.
            let isLink =
                (try? FileManager.default.destinationOfSymbolicLink(atPath: head)) != nil
            guard !isLink, head != "/", !head.isEmpty else { return nil }
            tail.append((head as NSString).lastPathComponent)
            head = (head as NSString).deletingLastPathComponent
        }
    }
}
