import Rendering
import Values
import Workspaces

extension CommandTable {
    static let verifyCommand = Command(
        "verify", .memory, "reads all stored values and checks them", effect: .manages,
        example: "verify", run: verify)

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
        for file in report.damagedAnswers {
            text.line(
                "  \(file): a damaged answer of a server; once it is removed, it is asked again")
        }
        for notice in report.notices { text.line("  \(notice)", .warning) }
        return CommandResult(value: record(of: report), Display(text))
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
            "damaged_answers": Value(report.damagedAnswers),
            "notices": Value(report.notices.map { "\($0)" }),
        ])
    }
}
