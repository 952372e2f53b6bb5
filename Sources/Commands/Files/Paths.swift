import Foundation

package enum Paths {
    /// The path that a user wrote, made absolute: `~` is the home folder, and a relative path
    /// starts in `directory`.
    package static func absolute(_ path: String, in directory: String) -> String {
        var path = path
        if path == "~" || path.hasPrefix("~/") {
            let home = ProcessInfo.processInfo.environment["HOME"] ?? NSHomeDirectory()
            path = home + path.dropFirst()
        }
        if !path.hasPrefix("/") { path = (directory as NSString).appendingPathComponent(path) }
        return (path as NSString).standardizingPath
    }
}
