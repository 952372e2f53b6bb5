import CommandLanguage
import Foundation
import Rendering
import Tensors
import Tokenizers
import Values

extension CommandTable {
    static let sessionCommands: [Command] = [
        Command(
            "seed", .session, "sets what all random numbers come from",
            about: """
                Each statement draws from the seed and its own number in the journal, so the same \
                script in a new workspace gives the same bits.
                """,
            effect: .manages,
            operands: [
                .optional("value", .number, "a whole number; without it, the seed is shown")
            ],
            example: "seed 7", run: setSeed),
        Command(
            "set", .session, "changes a setting; without a key, shows them", effect: .manages,
            options: [
                OptionSpecification(
                    "snapshot_limit", .word,
                    "values larger than this are written on leaving, as 1GiB"),
                OptionSpecification(
                    "memory", .either([Choice("auto", "most of what is free")], .word),
                    "what activations may take, as 600MB"),
                OptionSpecification(
                    "undo_depth", .either([Choice("all", "until gc")], .number),
                    "how many statements stay undoable, and their old values kept"),
                OptionSpecification(
                    "tensor_limit", .word, "what one tensor of an expression may take, as 1GiB"),
                OptionSpecification(
                    "file_limit", .word, "the largest file that is read whole, as 4GiB"),
                OptionSpecification("width", .number, "columns that outputs are drawn for"),
                OptionSpecification(
                    "color",
                    .words([
                        Choice("none", "plain text"), Choice("basic", "16 colors"),
                        Choice("palette", "256 colors"), Choice("full", "24 bits"),
                    ]), "how outputs are colored"),
            ],
            example: "set memory=2GB", run: set),
        Command(
            "help", .session, "explains a verb, a function or a kind of value", effect: .looks,
            operands: [
                .optional("topic", .word, "a verb, a function or a kind of value"),
                .optional("form", .word, "which form of the verb"),
            ],
            example: "help rollout", run: { try Help.run($0) }),
        Command(
            "tour", .session, "the way through SAMI, command by command", effect: .looks,
            example: "tour", run: { _ in CommandResult(text: Help.tour) }),
        Command(
            "source", .session, "runs the statements of a file here", effect: .manages,
            operands: [.required("path", .path, "a script")],
            example: "source script.sami", run: source),
        Command(
            "quit", .session, "leaves sami; the workspace is kept", effect: .manages,
            example: "quit",
            run: { invocation in
                invocation.session.finish()
                return CommandResult()
            }),
    ]

    private static func setSeed(_ invocation: Invocation) throws -> CommandResult {
        let session = invocation.session
        if let seed = try invocation.integer("value", atLeast: 0, atMost: 1 << 53) {
            session.seed = UInt64(seed)
        }
        return CommandResult(text: StyledText("seed \(session.seed)", .faint))
    }

    private static func set(_ invocation: Invocation) throws -> CommandResult {
        let session = invocation.session
        var settings = session.settings
        var appearance = session.appearance
        func bytes(_ role: String) throws -> Int? {
            guard let text = try invocation.text(role) else { return nil }
            guard let bytes = Settings.bytes(text) else {
                throw invocation.located(
                    EvaluationError.outOfRange(
                        role: "`\(role)`", rule: "a size such as 600MB",
                        found: Value.text(text).summary),
                    at: role)
            }
            return bytes
        }
        if let value = try bytes("snapshot_limit") { settings.snapshotLimit = value }
        if let value = try bytes("tensor_limit") { settings.limits.tensor = value }
        if let value = try bytes("file_limit") { settings.limits.file = value }
        if try invocation.text("memory") == "auto" {
            settings.memory = nil
        } else if let value = try bytes("memory") {
            settings.memory = value
        }
        if let argument = invocation.argument("undo_depth") {
            if case .text("all") = try invocation.value(argument) {
                settings.undoDepth = nil
            } else if let depth = try invocation.integer("undo_depth", atLeast: 0) {
                settings.undoDepth = depth
                if session.workspace.isWritable {
                    try session.workspace.trim(keepingUndo: depth)
                }
            }
        }
        if let value = try invocation.integer("width", atLeast: 20, atMost: 10_000) {
            appearance.width = value
        }
        if let value = try invocation.word("color", Color.self) { appearance.color = value }
        session.settings = settings
        session.appearance = appearance
        guard invocation.call.options.isEmpty else { return CommandResult() }
        var table = Table([.init("setting"), .init("value"), .init("meaning")])
        table.styles = [0: .name, 2: .faint]
        table.append(["seed", "\(session.seed)", "what random numbers come from"])
        table.append([
            "snapshot_limit", NumberText.bytes(settings.snapshotLimit),
            "values larger than this are written on leaving",
        ])
        table.append([
            "memory", settings.memory.map { NumberText.bytes($0) } ?? "auto",
            "what activations may take",
        ])
        table.append([
            "undo_depth", settings.undoDepth.map { "\($0)" } ?? "all",
            "how many statements stay undoable",
        ])
        table.append([
            "tensor_limit", NumberText.bytes(settings.limits.tensor),
            "what one tensor of an expression may take",
        ])
        table.append([
            "file_limit", NumberText.bytes(settings.limits.file),
            "the largest file that is read whole",
        ])
        table.append(["width", "\(appearance.width)", "columns that outputs are drawn for"])
        table.append(["color", appearance.color.rawValue, "how outputs are colored"])
        table.append([
            "threads", "\(Workers.count)", "chosen when sami starts, by SAMI_THREADS",
        ])
        return CommandResult(text: table.rendered(appearance, showsTitles: false))
    }

    private static func source(_ invocation: Invocation) throws -> CommandResult {
        let (data, shown) = try invocation.file("path")
        try invocation.session.run(script: String(decoding: data, as: UTF8.self), file: shown)
        return CommandResult()
    }
}
