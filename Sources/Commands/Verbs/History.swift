import Foundation
import Rendering
import Values

extension CommandTable {
    static let historyCommand = Command(
        "history", .memory, "lists the statements that changed the workspace",
        effect: .looks,
        operands: [.optional("count", .number, "number of statements to list; default: 20")],
        example: "history 5", run: history)

    private static func history(_ invocation: Invocation) throws -> CommandResult {
        let count = try invocation.integer("count", atLeast: 1) ?? 20
        let all = invocation.session.workspace.history
        // A block is one entry, which has what its statements bound.
        var made: [Int: [String]] = [:]
        for entry in all {
            let names = entry.bound.map(\.name).filter { !$0.hasPrefix(".") }
            let owner = entry.block ?? entry.sequence
            for name in names where made[owner]?.contains(name) != true {
                made[owner, default: []].append(name)
            }
        }
        let entries = all.filter { $0.block == nil || $0.isBlock }
        guard !entries.isEmpty else {
            return CommandResult(
                Display(StyledText("there is no statement yet", .faint), data: .list([])))
        }
        var table = Table([
            .init("#", isNumeric: true), .init("statement"), .init("made"),
            .init("took", isNumeric: true), .init("when", isNumeric: true),
        ])
        table.styles = [0: .faint, 2: .name, 3: .faint, 4: .faint]
        for entry in entries.suffix(count) {
            let state: String
            switch entry.status {
            case .committed:
                state =
                    (made[entry.sequence] ?? []).joined(separator: ", ")
                    + (entry.stopped == nil ? "" : " (stopped)")
            case .undone: state = "(undone)"
            case .failed: state = "(failed)"
            case .unfinished, .running: state = "(unfinished)"
            }
            table.append([
                (entry.isCurrent ? "> " : "") + "\(entry.sequence)", entry.source, state,
                entry.seconds.map { NumberText.duration($0) } ?? "",
                String(entry.time.prefix(16)).replacing("T", with: " "),
            ])
        }
        let rows = entries.suffix(count).map { entry -> Value in
            .record([
                "statement": Value(entry.sequence), "time": .text(entry.time),
                "seconds": Value(entry.seconds), "source": .text(entry.source),
                "status": .text("\(entry.status)"), "is_current": .bool(entry.isCurrent),
                "bound": Value(made[entry.sequence] ?? []),
            ])
        }
        var document = Document()
        document.line(table)
        return CommandResult(document, invocation.appearance, data: .list(Array(rows)))
    }
}
