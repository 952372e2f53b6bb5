import Commands
import TextModels

extension Session {
    /// The session's models for a server, and sentences about those that cannot be served.
    public func servedModels() throws -> (models: [NamedTextModel], notes: [String]) {
        try textModels()
    }
}
