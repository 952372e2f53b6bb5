import Glibc

/// The reason why a file could not be read or written.
public struct FileError: Error, Hashable, Sendable {
    public enum Reason: Hashable, Sendable {
        case absent
        case isFolder
        /// A pipe, a device or, if links are not followed, a link.
        case notRegular
        case empty
        /// The file ends before the requested bytes.
        case tooShort(expected: Int, found: Int)
        case tooLong(limit: Int, found: Int)
        /// The message of a library that reads or writes the file.
        case library(String)
        /// Any other error of the system, an `errno`.
        case system(Int32)
    }

    public enum Action: Hashable, Sendable { case read, write }

    public var action: Action
    public var path: String
    public var reason: Reason

    public init(_ action: Action, _ path: String, _ reason: Reason) {
        self.action = action
        self.path = path
        self.reason = reason
    }

    /// The error of the last system call.
    public static func last(_ action: Action, _ path: String) -> FileError {
        FileError(action, path, Reason(errno: errno))
    }
}

extension FileError.Reason {
    public init(errno code: Int32) {
        switch code {
        case ENOENT: self = .absent
        case EISDIR: self = .isFolder
        case ELOOP: self = .notRegular
        default: self = .system(code)
        }
    }
}

extension FileError.Reason: CustomStringConvertible {
    /// The second half of a sentence, without a full stop: "cannot read model.json: it is empty".
    public var description: String {
        switch self {
        case .absent: "no such file or directory"
        case .isFolder: "it is a folder"
        case .notRegular: "it is not a plain file"
        case .empty: "it is empty"
        case .tooShort(let expected, let found):
            "it has \(found) bytes where at least \(expected) were expected"
        case .tooLong(let limit, let found): "it has \(found) bytes, more than \(limit)"
        case .library(let message): message
        case .system(ENOSPC): "the disk is full"
        case .system(EDQUOT): "your disk quota is used up"
        case .system(EFBIG): "the file would be larger than allowed"
        case .system(EACCES), .system(EPERM): "permission denied"
        case .system(EROFS): "the file system is read-only"
        case .system(let code): String(cString: strerror(code)).lowercased()
        }
    }
}

extension FileError: CustomStringConvertible {
    public var description: String {
        "'\(path)' cannot be \(action == .read ? "read" : "written"): \(reason)."
    }
}
