import LongWork
import Rendering
import Values
import Workspaces

extension CommandTable {
    static let packCommand = Command(
        "pack", .memory, "writes the workspace as one portable file", effect: .manages,
        operands: [.required("path", .path, "a file, such as session.h5")],
        example: "pack session.h5", run: pack)

    static let unpackCommand = Command(
        "unpack", .memory, "makes a workspace from a packed file", effect: .manages,
        operands: [
            .required("file", .path, "a packed file"),
            .required("path", .path, "the folder of the new workspace"),
        ],
        example: "unpack session.h5 copy.samiws", run: unpack)

    private static func pack(_ invocation: Invocation) throws -> CommandResult {
        guard let path = try invocation.writablePath("path"),
            let shown = try invocation.text("path")
        else { return CommandResult() }
        for problem in invocation.session.keepAll() { throw invocation.error(problem) }
        do {
            var meter = invocation.meter()
            defer { meter.finish() }
            let report = try invocation.session.workspace.pack(to: path) { share in
                meter.update(Int(100 * share), of: 100, unit: Progress.percent)
                return invocation.cancel()
            }
            return CommandResult(
                text: StyledText(
                    "packed \(NumberText.count(report.objects, "object")), "
                        + "\(NumberText.bytes(report.bytes)), into \(shown)"))
        } catch is Canceled {
            throw invocation.located(
                EvaluationError.interrupted("stopped before \(shown) was complete"), at: "path")
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
            var meter = invocation.meter()
            defer { meter.finish() }
            let report = try Workspace.unpack(file, to: path) { share in
                meter.update(Int(100 * share), of: 100, unit: Progress.percent)
                return invocation.cancel()
            }
            return CommandResult(
                text: StyledText(
                    "unpacked \(NumberText.count(report.objects, "object")) into \(shown); "
                        + "`open \(shown)` opens it"))
        } catch is Canceled {
            throw invocation.located(
                EvaluationError.interrupted("stopped before \(shown) was complete"), at: "path")
        } catch {
            throw invocation.located(error, at: "file")
        }
    }
}
