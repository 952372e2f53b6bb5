import CommandLanguage
import Foundation
import Rendering
import Tensors
import Tokenizers
import Values
import Workspaces

extension CommandTable {
    static let workspaceCommands: [Command] = [
        Command(
            "ls", .memory, "lists the values of the workspace", effect: .looks,
            example: "ls", run: list),
        Command(
            "rm", .memory, "takes names away; undo brings them back",
            operands: [.required("name", .name, "a name", repeats: true)],
            example: "rm logprobs", run: remove),
        Command(
            "undo", .memory, "takes back the last statement that changed something",
            effect: .manages,
            operands: [.optional("count", .number, "how many statements; 1")],
            example: "undo", run: { try travel($0, isBack: true) }),
        Command(
            "redo", .memory, "does again what undo took back", effect: .manages,
            operands: [.optional("count", .number, "how many statements; 1")],
            example: "redo", run: { try travel($0, isBack: false) }),
        Command(
            "history", .memory, "lists the statements that changed the workspace",
            effect: .looks,
            operands: [.optional("count", .number, "how many of the last ones; 20")],
            example: "history 5", run: history),
        Command(
            "replay", .memory, "does a session or a script again in a fresh workspace",
            about: """
                With check=true every value is compared with the one that was kept: to the last bit \
                on the machine that made it, else numbers to within 0.001 of their size. A script \
                is run twice and compared. to=N stops after statement N of the journal, and \
                into=PATH keeps what was made: that is how a state comes back that undo no longer \
                reaches.
                """,
            effect: .manages,
            operands: [.optional("path", .path, "another workspace, or a script")],
            options: [
                OptionSpecification("check", .flag, "compare every value; false"),
                OptionSpecification("to", .number, "the last statement to do, by its number"),
                OptionSpecification("into", .path, "a workspace to make, in place of none"),
            ],
            example: "replay check=true", run: replay),
        Command(
            "resume", .memory, "goes on with a statement that was stopped or killed",
            about: """
                From its last checkpoint, with the seed and number it had, so that it ends in what an \
                uninterrupted run would have given.
                """,
            effect: .manages,
            options: [OptionSpecification("drop", .flag, "forget it; what it has bound stays")],
            example: "resume", run: resume),
        Command(
            "verify", .memory, "reads everything that is kept and checks it", effect: .manages,
            example: "verify", run: verify),
        Command(
            "gc", .memory, "deletes what no name and no undo reaches", effect: .manages,
            operands: [.optional("keep", .number, "how many statements stay undoable; 20")],
            example: "gc", run: collect),
        Command(
            "pack", .memory, "writes the workspace as one portable file", effect: .manages,
            operands: [.required("path", .path, "a file, such as session.h5")],
            example: "pack session.h5", run: pack),
        Command(
            "unpack", .memory, "makes a workspace of a packed file", effect: .manages,
            operands: [
                .required("file", .path, "a packed file"),
                .required("path", .path, "the folder of the new workspace"),
            ],
            example: "unpack session.h5 copy.samiws", run: unpack),
        Command(
            "open", .memory, "leaves this workspace for another", effect: .manages,
            operands: [.required("path", .path, "the folder of a workspace")],
            options: [OptionSpecification("read_only", .flag, "only look; false")],
            example: "open other.samiws", run: open),
    ]

    private static func list(_ invocation: Invocation) throws -> CommandResult {
        let session = invocation.session
        let names = session.workspace.names.filter { !$0.name.hasPrefix(".") }
        guard !names.isEmpty else {
            return CommandResult(
                text: StyledText("nothing is bound yet; `load model default` is a start", .faint))
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
        var text = table.rendered(invocation.appearance)
        if names.contains(where: { !$0.isStored }) {
            text.line("* over snapshot_limit: written when the session ends", .faint)
        }
        return CommandResult(text: text)
    }

    private static func remove(_ invocation: Invocation) throws -> CommandResult {
        var result = CommandResult()
        for argument in invocation.call.operands("name") {
            guard case .text(let name) = try invocation.value(argument) else { continue }
            guard invocation.session.isBound(name) else {
                throw LocatedError(
                    error: EvaluationError.nothingBound(
                        name, nearest: nearest(name, in: invocation.session.names)),
                    span: argument.span)
            }
            if !result.unbind.contains(name) { result.unbind.append(name) }
        }
        result.text = StyledText(
            "removed " + result.unbind.joined(separator: ", ") + "; undo brings back", .faint)
        return result
    }

    private static func travel(_ invocation: Invocation, isBack: Bool) throws -> CommandResult {
        let session = invocation.session
        try session.requireWritable(at: invocation.call.verb.span)
        let count = try invocation.integer("count", atLeast: 1, atMost: 10_000) ?? 1
        var text = StyledText()
        for _ in 0..<count {
            let depth = isBack ? session.workspace.undoDepth : session.workspace.redoDepth
            // Where there is nothing at all, the workspace says why.
            if depth == 0, !text.isEmpty {
                text.line("nothing is left to \(isBack ? "undo" : "redo")", .warning)
                break
            }
            let report = isBack ? try session.workspace.undo() : try session.workspace.redo()
            text.line("\(isBack ? "undid" : "did again") #\(report.sequence) ", .faint)
            text.append(TextWidth.cut(TextWidth.oneLine(report.source), to: 60))
            for change in report.changes where !change.name.hasPrefix(".") {
                let after = change.after.map { "\($0.kind) of #\($0.sequence)" } ?? "gone"
                text.line("  \(change.name): \(after)", .faint)
            }
        }
        session.forgetLastResult()
        return CommandResult(text: text)
    }

    private static func history(_ invocation: Invocation) throws -> CommandResult {
        let count = try invocation.integer("count", atLeast: 1) ?? 20
        let entries = invocation.session.workspace.history
        guard !entries.isEmpty else {
            return CommandResult(text: StyledText("nothing has been done yet", .faint))
        }
        var table = Table([
            .init("#", isNumeric: true), .init("when"), .init("took", isNumeric: true),
            .init("statement"), .init("made"),
        ])
        table.styles = [0: .faint, 1: .faint, 2: .faint, 4: .name]
        for entry in entries.suffix(count) {
            let state: String
            switch entry.status {
            case .committed:
                state =
                    entry.bound.map(\.name).filter { !$0.hasPrefix(".") }.joined(
                        separator: ", ") + (entry.stopped == nil ? "" : " (stopped)")
            case .undone: state = "(undone)"
            case .failed: state = "(failed)"
            case .unfinished, .running: state = "(unfinished)"
            }
            table.append([
                (entry.isCurrent ? "> " : "") + "\(entry.sequence)",
                String(entry.time.prefix(16)).replacing("T", with: " "),
                entry.seconds.map { NumberText.duration($0) } ?? "", entry.source, state,
            ])
        }
        return CommandResult(text: table.rendered(invocation.appearance))
    }

    private static func verify(_ invocation: Invocation) throws -> CommandResult {
        var meter = invocation.meter()
        defer { meter.finish() }
        let report = try invocation.session.workspace.verify { done, total in
            meter.update(done, of: total, unit: "objects")
            return !invocation.isInterrupted
        }
        var text = StyledText()
        if report.isSound {
            text.line("sound", .good)
            text.append(
                ": \(NumberText.count(report.objects, "object")), \(NumberText.bytes(report.bytes))"
            )
        } else {
            text.line(report.isStopped ? "stopped" : "damaged", .failure)
            for damage in report.damages {
                let names = damage.names.isEmpty ? "" : " (\(damage.names.joined(separator: ", ")))"
                text.line("  \(damage.file)\(names): \(damage.reason)")
                guard let sequence = damage.sequence else { continue }
                text.line("    made by #\(sequence) ", .faint)
                text.append(TextWidth.oneLine(damage.source ?? ""))
            }
        }
        for notice in report.notices { text.line("  \(notice)", .warning) }
        return CommandResult(value: record(of: report), text: text)
    }

    private static func record(of report: VerifyReport) -> Value {
        let damages = report.damages.map { damage -> Value in
            .record([
                "file": .text(damage.file), "reason": .text(damage.reason),
                "names": Value(damage.names),
                "statement": damage.sequence.map { Value($0) } ?? .null,
                "source": Value(damage.source),
            ])
        }
        return .record([
            "sound": .bool(report.isSound), "objects": Value(report.objects),
            "bytes": Value(report.bytes), "damages": .list(damages),
            "notices": Value(report.notices.map { "\($0)" }),
        ])
    }

    private static func collect(_ invocation: Invocation) throws -> CommandResult {
        try invocation.session.requireWritable(at: invocation.call.verb.span)
        let keep =
            try invocation.integer("keep", atLeast: 0) ?? invocation.session.settings.undoDepth
            ?? Settings.usualUndoDepth
        let report = try invocation.session.workspace.gc(keepingUndo: keep)
        return CommandResult(
            text: StyledText(
                "deleted \(NumberText.count(report.removed, "object")), "
                    + "\(NumberText.bytes(report.bytes)); \(NumberText.count(report.kept, "object")) left"
            ))
    }

    private static func pack(_ invocation: Invocation) throws -> CommandResult {
        guard let path = try invocation.writablePath("path"),
            let shown = try invocation.text("path")
        else { return CommandResult() }
        for problem in invocation.session.keepAll() { throw invocation.error(problem) }
        do {
            let report = try invocation.session.workspace.pack(to: path)
            return CommandResult(
                text: StyledText(
                    "packed \(NumberText.count(report.objects, "object")), "
                        + "\(NumberText.bytes(report.bytes)), into \(shown)"))
        } catch {
            throw invocation.located(error, at: "path")
        }
    }

    private static func unpack(_ invocation: Invocation) throws -> CommandResult {
        guard let file = try invocation.path("file"),
            let path = try invocation.writablePath("path"),
            let shown = try invocation.text("path")
        else { return CommandResult() }
        do {
            let report = try Workspace.unpack(file, to: path)
            return CommandResult(
                text: StyledText(
                    "unpacked \(NumberText.count(report.objects, "object")) into \(shown); "
                        + "`open \(shown)` goes there"))
        } catch {
            throw invocation.located(error, at: "file")
        }
    }

    private static func open(_ invocation: Invocation) throws -> CommandResult {
        guard let path = try invocation.writablePath("path") else { return CommandResult() }
        let readOnly = try invocation.flag("read_only") ?? false
        let notices: [String]
        do {
            notices = try invocation.session.open(
                path, access: readOnly ? .readOnly : .readWrite)
        } catch {
            throw invocation.located(error, at: "path")
        }
        var result = CommandResult(text: StyledText("opened \(invocation.session.workspace.path)"))
        result.notes = notices
        return result
    }

    private static func replay(_ invocation: Invocation) throws -> CommandResult {
        let session = invocation.session
        var options = ReplayOptions()
        options.check = try invocation.flag("check") ?? false
        options.upTo = try invocation.integer("to", atLeast: 0)
        options.into = try invocation.writablePath("into")
        // Statements of this session's own journal may write where they wrote; those of another's,
        // which `path` names, may not.
        options.allowsWrites = !invocation.has("path")
        let result: (isWell: Bool, summary: String)
        do {
            result = try session.replay(try invocation.path("path"), options)
        } catch {
            throw invocation.located(error, at: "path")
        }
        guard result.isWell else {
            if invocation.isInterrupted {
                throw invocation.located(EvaluationError.interrupted(result.summary))
            }
            throw invocation.error(result.summary)
        }
        return CommandResult(text: StyledText(result.summary, .good))
    }

    private static func resume(_ invocation: Invocation) throws -> CommandResult {
        let session = invocation.session
        try session.requireWritable(at: invocation.call.verb.span)
        guard let unfinished = session.workspace.unfinished else {
            throw invocation.error("nothing was left unfinished")
        }
        if try invocation.flag("drop") ?? false {
            try session.workspace.dropUnfinished()
            return CommandResult(
                text: StyledText("forgot #\(unfinished.sequence) \(unfinished.source)", .faint))
        }
        return try session.resume(unfinished, invocation)
    }
}
