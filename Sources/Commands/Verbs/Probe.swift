import CommandLanguage
import LongWork
import Rendering
import Servers
import Values

extension CommandTable {
    static let probeCommand = Command(
        "probe", .models, "asks a server what it honors",
        about: """
            Eight or nine requests, each for a few tokens, show whether the server does what a \
            request asks: max_tokens, stop, seed, n, logprobs, and the log-probs of a prompt. A \
            wish that the server refuses is shown with its words and does not end the statement. \
            The value is a record: `p = probe teacher; p.seed == "yes"`; the other words are "no", \
            "refused" and "cannot be seen". A probe asks anew each time; `replay` takes the \
            answers that were kept.
            """,
        makes: ["_"], effect: .tries,
        operands: [.required("server", .object("server"), "a name that `server` made")],
        example: "probe teacher", run: probe)

    private static func probe(_ invocation: Invocation) throws -> CommandResult {
        let server = try invocation.object(ServerObject.self, "server").server
        // Without a number in the journal no replay comes, so nothing is kept.
        let probe = ServerProbe(
            server, number: invocation.sequence > 0 ? invocation.sequence : nil,
            keeping: WorkspaceAnswers(invocation.session))
        let follower = invocation.follower()
        defer { follower.finish() }
        let findings: [ServerProbe.Finding]
        do {
            findings = try probe.findings(progress: follower.follow)
        } catch is Canceled {
            throw invocation.located(EvaluationError.interrupted("stopped; nothing has changed"))
        }
        var table = Table([.init("wish"), .init("honored"), .init("seen")])
        table.styles = [0: .name]
        table.wraps = true
        var (record, seen) = (Record(), Record())
        for finding in findings {
            table.append([finding.wish.title, finding.honored.rawValue, finding.seen])
            record[finding.wish.rawValue] = .text(finding.honored.rawValue)
            seen[finding.wish.rawValue] = .text(finding.seen)
        }
        record["seen"] = .record(seen)
        var document = Document(
            "\(server.model) at \(server.address.text), by \(server.api.rawValue)", .heading)
        document.line(table)
        let value = Value.record(record)
        return CommandResult(
            value: value, Display(document, invocation.appearance, data: value),
            notes: probe.usage.counts.notes(
                on: invocation.written("server") ?? "server", server.price))
    }
}

extension ServerProbe.Wish {
    fileprivate var title: String {
        self == .promptLogProbs ? "prompt log-probs" : rawValue
    }
}
