/// The reason why a notebook cannot be read, written or run, as a sentence that names the file.
public struct NotebookError: Error, Hashable, Sendable, CustomStringConvertible {
    public var path: String
    public var reason: String
    /// What to do about it; nil if the reason says it.
    public var remedy: String?

    public init(_ path: String, _ reason: String, remedy: String? = nil) {
        (self.path, self.reason, self.remedy) = (path, reason, remedy)
    }

    public var description: String { "\(path): \(reason)" + (remedy.map { "; \($0)" } ?? "") }
}
