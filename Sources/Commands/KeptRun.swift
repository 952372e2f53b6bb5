import Alignment
import Foundation
import Rendering
import Values
import Workspaces

/// A workspace as one run among several: its statements, and the values that runs are compared by.
struct KeptRun {
    /// The folder's name without its extension.
    let name: String
    let path: String
    let history: [HistoryEntry]
    /// Logs and verdicts by name, in the order in which they were made.
    private(set) var logs: [(name: String, log: LogObject)] = []
    private(set) var verdicts: [(name: String, verdicts: VerdictsObject)] = []
    /// Lists of records with the same fields, by name.
    private(set) var tables: [(name: String, rows: Value)] = []
    /// Numbers, words and truth values by name: mostly settings.
    private(set) var settings: [(name: String, value: Value)] = []

    /// Opens the workspace for reading, also while another process works in it.
    ///
    /// - Throws: `WorkspaceError` if it is none, or the error of a value that cannot be read.
    init(_ path: String) throws {
        let workspace = try Workspace.open(path, mode: .readOnly)
        defer { workspace.close() }
        try self.init(workspace)
    }

    init(_ workspace: Workspace) throws {
        path = workspace.path
        name = ((path as NSString).lastPathComponent as NSString).deletingPathExtension
        history = workspace.history
        for info in workspace.names.sorted(by: { $0.sequence < $1.sequence })
        where info.isStored && !info.name.hasPrefix(".") && KeptRun.kinds.contains(info.kind) {
            let value = try Value(try workspace.read(info.name), of: info, in: workspace)
            if let log = value.object(LogObject.self) { logs.append((info.name, log)) }
            if let found = value.object(VerdictsObject.self) { verdicts.append((info.name, found)) }
            switch value {
            case .list(let items):
                let isTable = Value.table(of: items, count: 1, ReportParts.appearance) != nil
                if isTable { tables.append((info.name, value)) }
            case .number, .bool: settings.append((info.name, value))
            case .text(let text) where text.count <= 40: settings.append((info.name, value))
            default: break
            }
        }
    }

    private static let kinds: Set = [
        LogObject.kind, VerdictsObject.kind, "list", "number", "text", "truth value",
    ]

    /// The seeds of its statements, in order.
    var seeds: [String] {
        var seeds: [String] = []
        for entry in history where entry.status == .committed {
            let seed = String(entry.seed.prefix { $0 != "/" })
            if !seeds.contains(seed) { seeds.append(seed) }
        }
        return seeds
    }

    /// Seconds of all statements that ended well.
    var seconds: Double {
        // The time of a block is that of its statements.
        history.filter { $0.status == .committed && !$0.isBlock }
            .reduce(0) { $0 + ($1.seconds ?? 0) }
    }
}

/// Several runs side by side.
struct RunComparison {
    let runs: [KeptRun]

    /// One row a run: its seed and time, the settings in which the runs differ, the end of each log
    /// and the rate of each verdict.
    var rows: [Record] {
        let settings = differingSettings
        return runs.map { run in
            var row = Record()
            row["run"] = .text(run.name)
            row["seed"] = .text(run.seeds.joined(separator: ", "))
            row["minutes"] = .number((run.seconds / 6).rounded() / 10)
            for name in settings {
                row[name] = run.settings.first { $0.name == name }?.value ?? .null
            }
            for name in names(\.logNames) {
                let last = run.logs.first { $0.name == name }?.log.rows.last
                row["\(name).loss"] = last?["loss"] ?? .null
                if let bound = last?["bound"] { row["\(name).bound"] = bound }
            }
            for name in names(\.verdictNames) {
                let found = run.verdicts.first { $0.name == name }?.verdicts.verdicts
                row["\(name).win_rate"] = Value(found?.winRate)
                row["\(name).from"] = Value(found?.interval?.lower)
                row["\(name).to"] = Value(found?.interval?.upper)
                row["\(name).n"] = found.map { Value($0.count) } ?? .null
            }
            return row
        }
    }

    /// The same for people: a cell for each log and each rate.
    var table: Table {
        let settings = differingSettings
        let (logs, verdicts) = (names(\.logNames), names(\.verdictNames))
        var table = Table(
            [.init("run"), .init("seed"), .init("minutes", isNumeric: true)]
                + settings.map { .init($0) }
                + logs.map { .init("\($0), last loss", isNumeric: true) }
                + verdicts.map { .init("\($0), win rate", isNumeric: true) })
        table.styles = [0: .name, 1: .faint, 2: .faint]
        for run in runs {
            var cells = [
                run.name, run.seeds.joined(separator: ", "),
                NumberText.fixed(run.seconds / 60, decimals: 1),
            ]
            cells += settings.map { name in
                run.settings.first { $0.name == name }?.value.summary ?? ""
            }
            cells += logs.map { name in
                let log = run.logs.first { $0.name == name }?.log
                let last = (log?.rows.last?[log?.mainColumn ?? ""]).flatMap(\.asNumber)
                return last.map { NumberText.fixed($0, decimals: 4) } ?? ""
            }
            cells += verdicts.map { name in
                run.verdicts.first { $0.name == name }?.verdicts.shortRate ?? ""
            }
            table.append(cells)
        }
        return table
    }

    /// The losses of the logs with one name over each other.
    var pictures: [Picture] {
        var pictures: [Picture] = []
        for name in names(\.logNames) {
            let series = runs.compactMap { run in
                run.logs.first { $0.name == name }.map { found in
                    Chart.Series(run.name, found.log.line(found.log.mainColumn).points)
                }
            }
            var chart = Chart(series, xName: "step")
            chart.yName = LogObject.named(["loss"])
            pictures.append(Picture(.chart(chart), title: "\(name): loss"))
        }
        return pictures
    }

    private var differingSettings: [String] {
        // A name that some runs do not have is no setting of all, but of another script.
        names(\.settingNames).filter { name in
            let values = runs.compactMap { run in
                run.settings.first { $0.name == name }?.value
            }
            return values.count == runs.count
                && values.dropFirst().contains { !$0.equals(values[0]) }
        }
    }

    private func names(_ list: KeyPath<KeptRun, [String]>) -> [String] {
        var names: [String] = []
        for name in runs.flatMap({ $0[keyPath: list] }) where !names.contains(name) {
            names.append(name)
        }
        return names
    }
}

extension KeptRun {
    fileprivate var logNames: [String] { logs.map(\.name) }
    fileprivate var verdictNames: [String] { verdicts.map(\.name) }
    fileprivate var settingNames: [String] { settings.map(\.name) }
}
