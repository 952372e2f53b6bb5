import CommandLanguage
import Foundation

extension Invocation {
    /// The absolute path of a file or folder that the statement will write.
    ///
    /// - Throws: if the statement comes from a stranger and its path leads out of its allowed
    ///   folder, through `..` or through links.
    func writablePath(_ role: String) throws -> String? {
        guard let path = try path(role) else { return nil }
        guard let folder = session.writableFolder else { return path }
        guard let place = Self.resolved(path), let root = Self.resolved(folder),
            place == root || place.hasPrefix(root == "/" ? root : root + "/")
        else {
            throw error(
                "a replayed statement may write only in \(folder), and this one would write to "
                    + path,
                suggestion: "--allow-writes permits it", at: role)
        }
        return path
    }

    /// A path without links: the existing part is resolved, the rest is unchanged.
    private static func resolved(_ path: String) -> String? {
        var head = (path as NSString).standardizingPath
        var tail: [String] = []
        while true {
            if let found = realpath(head, nil) {
                defer { free(found) }
                return ([String(cString: found)] + tail.reversed()).joined(separator: "/")
                    .replacingOccurrences(of: "//", with: "/")
            }
            // A link to a missing file would be followed once the file exists.
            let isLink =
                (try? FileManager.default.destinationOfSymbolicLink(atPath: head)) != nil
            guard !isLink, head != "/", !head.isEmpty else { return nil }
            tail.append((head as NSString).lastPathComponent)
            head = (head as NSString).deletingLastPathComponent
        }
    }
}
