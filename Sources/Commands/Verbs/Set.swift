import CommandLanguage
import Rendering
import Tensors
import Values

extension CommandTable {
    static let setCommand = Command(
        "set", .session, "changes a setting; without a key, shows them", effect: .manages,
        options: [
            OptionSpecification(
                "snapshot_limit", .word,
                "larger values are written at the end of the session, as 1GiB"),
            OptionSpecification(
                "memory", .either([Choice("auto", "most of the free memory")], .word),
                "limit for activations, as 600MB"),
            OptionSpecification(
                "undo_depth", .either([Choice("all", "until gc")], .number),
                "number of statements that can be undone"),
            OptionSpecification(
                "tensor_limit", .word, "limit for one tensor of an expression, as 1GiB"),
            OptionSpecification(
                "file_limit", .word, "limit for a file that is read whole, as 4GiB"),
            OptionSpecification(
                "precision",
                .words([
                    Choice("auto", "bfloat16 for models stored so (default)"),
                    Choice("float32", "for every model"), Choice("bfloat16", "for every model"),
                ]), "how products with weights are computed"),
            OptionSpecification("width", .number, "width of outputs, in columns"),
            OptionSpecification(
                "color",
                .words([
                    Choice("none", "plain text"), Choice("basic", "16 colors"),
                    Choice("palette", "256 colors"), Choice("full", "24 bits"),
                ]), "the colors of outputs"),
            OptionSpecification(
                "pager",
                .words([
                    Choice("auto", "page by page at a prompt (default)"),
                    Choice("off", "all at once"),
                ]), "how help and looks longer than the screen are shown"),
        ],
        example: "set memory=2GB", run: set)

    private static func set(_ invocation: Invocation) throws -> CommandResult {
        let session = invocation.session
        var settings = session.settings
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
            settings.width = value
        }
        if let value = try invocation.word("color", Color.self) { settings.color = value }
        if let value = try invocation.word("pager", Settings.Pager.self) { settings.pager = value }
        if let value = try invocation.word("precision", Precision.self) {
            settings.precision = value
        }
        session.settings = settings
        let appearance = session.appearance
        guard invocation.call.options.isEmpty else {
            let isMissed =
                invocation.has("precision") && settings.precision == .bfloat16
                && !Precision.hasBFloat16
            return isMissed
                ? CommandResult(
                    note: "this processor has no bfloat16 products, so float32 is used")
                : CommandResult()
        }
        var table = Table([.init("setting"), .init("value"), .init("meaning")])
        table.styles = [0: .name, 2: .faint]
        table.append(["seed", "\(session.seed)", "the seed of all random numbers"])
        table.append([
            "snapshot_limit", NumberText.bytes(settings.snapshotLimit),
            "larger values are written at the end of the session",
        ])
        table.append([
            "memory", settings.memory.map { NumberText.bytes($0) } ?? "auto",
            "limit for activations",
        ])
        table.append([
            "undo_depth", settings.undoDepth.map { "\($0)" } ?? "all",
            "number of statements that can be undone",
        ])
        table.append([
            "tensor_limit", NumberText.bytes(settings.limits.tensor),
            "limit for one tensor of an expression",
        ])
        table.append([
            "file_limit", NumberText.bytes(settings.limits.file),
            "limit for a file that is read whole",
        ])
        table.append([
            "precision",
            settings.precision.rawValue
                + (Precision.hasBFloat16 ? "" : " (this processor: float32)"),
            "how products with weights are computed",
        ])
        table.append(["width", "\(appearance.width)", "width of outputs, in columns"])
        table.append(["color", appearance.color.rawValue, "the colors of outputs"])
        table.append([
            "pager", settings.pager.rawValue, "how looks longer than the screen are shown",
        ])
        table.append([
            "threads", "\(Workers.count)", "chosen when sami starts, by SAMI_THREADS",
        ])
        var document = Document()
        document.line(table, showsTitles: false)
        let data = Value.record([
            "seed": .number(Double(session.seed)), "snapshot_limit": Value(settings.snapshotLimit),
            "memory": settings.memory.map { Value($0) } ?? .text("auto"),
            "undo_depth": settings.undoDepth.map { Value($0) } ?? .text("all"),
            "tensor_limit": Value(settings.limits.tensor),
            "file_limit": Value(settings.limits.file),
            "precision": .text(settings.precision.rawValue), "width": Value(appearance.width),
            "color": .text(appearance.color.rawValue), "pager": .text(settings.pager.rawValue),
            "threads": Value(Workers.count),
        ])
        return CommandResult(document, appearance, data: data)
    }
}
