import Commands
import TextModels

extension Session {
    /// The session's models for a server, and sentences about those that cannot be served.
    public func servedModels() throws -> (models: [(name: String, text: TextModel)], notes: [String])
    {
        try textModels()
    }
}
