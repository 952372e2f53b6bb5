import Rendering
import Values

extension CommandTable {
    static let lsCommand = Command(
        "ls", .memory, "lists the values of the workspace", effect: .looks,
        example: "ls", run: list)

    private static func list(_ invocation: Invocation) throws -> CommandResult {
        let session = invocation.session
        let names = session.workspace.names.filter { !$0.name.hasPrefix(".") }
        guard !names.isEmpty else {
            return CommandResult(
                Display(
                    StyledText("there is no value yet; start with `load model default`", .faint),
                    data: .list([])))
        }
        let sources = Dictionary(
            session.workspace.history.map { ($0.sequence, $0.source) },
            uniquingKeysWith: { _, last in last })
        var table = Table([
            .init("name"), .init("kind"), .init("size", isNumeric: true),
            .init("#", isNumeric: true), .init("made by"),
        ])
        table.styles = [0: .name, 3: .faint, 4: .faint]
        for info in names {
            table.append([
                info.name, info.kind, NumberText.bytes(info.bytes) + (info.isStored ? "" : " *"),
                "\(info.sequence)", sources[info.sequence] ?? "",
            ])
        }
        var document = Document()
        document.line(table)
        let total = names.reduce(0) { $0 + $1.bytes }
        document.line(
            "\(NumberText.count(names.count, "value")), \(NumberText.bytes(total))", .faint)
        if let old = try session.oldValues(from: 1 << 20) { document.line(old.sentence, .faint) }
        if names.contains(where: { !$0.isStored }) {
            document.line("* over snapshot_limit: written when the session ends", .faint)
        }
        let rows = names.map { info -> Value in
            .record([
                "name": .text(info.name), "kind": .text(info.kind), "bytes": Value(info.bytes),
                "stored": .bool(info.isStored), "statement": Value(info.sequence),
                "source": Value(sources[info.sequence]),
            ])
        }
        return CommandResult(document, invocation.appearance, data: .list(rows))
    }
}
