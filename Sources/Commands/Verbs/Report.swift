import CommandLanguage
import Foundation
import Rendering
import Values

extension CommandTable {
    static let reportCommand = Command(
        "report", .looking, "writes a session, or a set of runs, as one page",
        about: """
            The page has the results first: verdicts, tables, logs with their charts, responses of \
            both models side by side, what changed in the model, principles. Then what another \
            person needs to make it again: every statement with its seed and time, the files \
            that were read, digests of the values, the machine, and the commands. FILE.html needs \
            no other file and no network; FILE.md is for a repository. With runs= it sets the \
            workspaces of several runs side by side. Run `score` and `judge` first: the report \
            computes nothing but the token strips of a few responses.
            """,
        effect: .looks,
        operands: [
            .required("path", .path, "an .html or .md file")
        ],
        options: [
            OptionSpecification("title", .text, "the heading; default: the workspace's name"),
            OptionSpecification(
                "runs", .value, "workspaces to compare, a list of texts; this one is not included"),
            OptionSpecification(
                "strips", .number, "responses with token strips; default: 4, of a list of rollouts"),
        ],
        example: "report report.html", run: report)

    private static func report(_ invocation: Invocation) throws -> CommandResult {
        guard let shown = try invocation.text("path"),
            let path = try invocation.writablePath("path")
        else { return CommandResult() }
        let format = (shown as NSString).pathExtension.lowercased()
        guard ["html", "htm", "md", "markdown"].contains(format) else {
            throw invocation.error(
                "a report is written as .html or .md", suggestion: "report report.html", at: "path")
        }
        let title = try invocation.text("title")
        let page: ReportPage
        if invocation.has("runs") {
            page = try runsReport(title, invocation)
        } else {
            page = try SessionReport(invocation).page(title)
        }
        let isHTML = format.hasPrefix("h")
        let data = Data((isHTML ? page.html : page.markdown).utf8)
        do {
            try FileWriting.write(data, to: path, shown: shown)
        } catch {
            throw invocation.located(error, at: "path")
        }
        return CommandResult(text: StyledText("wrote \(shown), \(NumberText.bytes(data.count))"))
    }

    /// The table and the charts of several runs, and of each its results and statements.
    private static func runsReport(
        _ title: String?, _ invocation: Invocation
    ) throws -> ReportPage {
        let runs = try invocation.runs("runs")
        guard !runs.isEmpty else {
            throw invocation.error(
                "`runs` is a list of workspaces",
                suggestion: "report report.html runs=[\"one.samiws\", \"two.samiws\"]", at: "runs")
        }
        let comparison = RunComparison(runs: runs)
        let appearance = ReportParts.appearance
        let table = ReportParts.display(comparison.table)
        var chapters = [
            ReportPage.Chapter(
                "Runs",
                [.display(table)]
                    + comparison.pictures.map { .display(ReportParts.display($0)) })
        ]
        for run in runs {
            var parts: [ReportPage.Part] = run.tables.map { name, rows in
                .display(ReportParts.named(name, rows.display(appearance)))
            }
            parts += run.verdicts.map { name, verdicts in
                .folded(
                    title: "\(name): \(verdicts.headline)",
                    parts: [.display(verdicts.display(appearance))])
            }
            parts += run.logs.map { name, log in
                .folded(
                    title: "\(name): \(log.summary)", parts: [.display(log.display(appearance))])
            }
            parts.append(
                .folded(
                    title: "statements", parts: [.display(ReportParts.statements(run.history))]))
            parts.append(.code("sami replay \(ReportParts.quoted(run.path)) --check"))
            chapters.append(ReportPage.Chapter(run.name, parts))
        }
        return ReportPage(
            title: title ?? NumberText.count(runs.count, "run"),
            opening: [.prose(ReportParts.origin(runs.flatMap(\.history)))], chapters: chapters)
    }
}
