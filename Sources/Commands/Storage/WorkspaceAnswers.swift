import Servers
import Workspaces

/// The answers that a workspace keeps, and those of the session that is replayed in it.
struct WorkspaceAnswers: AnswerStore {
    let own: KeptAnswers
    /// Of a session that is replayed; nil for other work.
    let replayed: KeptAnswers?
    /// False for a workspace that is only read.
    let keeps: Bool

    init(_ session: any CommandContext) {
        own = session.workspace.answers
        replayed = session.replayedAnswers
        keeps = session.workspace.isWritable
    }

    /// A replay gives what the session got, so it asks no server.
    var mayAsk: Bool { replayed == nil }

    func answer(to request: String) throws -> String? {
        if let answer = try own.answer(to: request) { return answer }
        guard let answer = try replayed?.answer(to: request) else { return nil }
        try keep(answer, to: request)
        return answer
    }

    func keep(_ answer: String, to request: String) throws {
        if keeps { try own.keep(answer, to: request) }
    }
}
