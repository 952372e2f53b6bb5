import Alignment
import CommandLanguage
import Foundation
import Rendering
import Values
import Workspaces

/// The chapters of `report` about the present session.
struct SessionReport {
    private let invocation: Invocation
    private let history: [HistoryEntry]
    private let names: [BindingInfo]
    /// Those that the report shows.
    private let values: [(info: BindingInfo, value: Value)]
    private var appearance: Appearance { ReportParts.appearance }

    /// Kinds whose values are large and of which a report shows no more than a line. They are not
    /// read.
    private static let large: Set = [
        GradientsObject.kind, OptimizerObject.kind, ModelObject.kind, LogprobsObject.kind, "tensor",
    ]

    init(_ invocation: Invocation) {
        self.invocation = invocation
        let workspace = invocation.session.workspace
        history = workspace.history
        names = workspace.names.filter { !$0.name.hasPrefix(".") }
            .sorted { ($0.sequence, $0.name) < ($1.sequence, $1.name) }
        values = names.compactMap { info in
            guard !SessionReport.large.contains(info.kind) || ["model", "base"].contains(info.name)
            else { return nil }
            // A value that was too large to be kept has its line in the list all the same.
            return (try? invocation.session.value(of: info.name)).map { (info, $0) }
        }
    }

    func page(_ title: String?) throws -> ReportPage {
        let path = invocation.session.workspace.path
        let name = ((path as NSString).lastPathComponent as NSString).deletingPathExtension
        let isKept = !invocation.session.workspace.isEphemeral
        return ReportPage(
            title: title ?? (isKept ? name : "A session of sami"),
            opening: [.prose(ReportParts.origin(history))],
            chapters: [
                ReportPage.Chapter("Results", results),
                ReportPage.Chapter("Training", training),
                ReportPage.Chapter("Responses", try responses()),
                ReportPage.Chapter("The model", try model()),
                ReportPage.Chapter("Principles", shown(of: PrinciplesObject.self)),
                ReportPage.Chapter("Statements", [.display(ReportParts.statements(history))]),
                ReportPage.Chapter("Values and files", inventory),
                ReportPage.Chapter("To make it again", again(isKept ? path : nil)),
            ])
    }

    // MARK: Chapters

    private var results: [ReportPage.Part] {
        var parts = shown(of: VerdictsObject.self)
        for (info, value) in values {
            guard case .list(let items) = value,
                Value.table(of: items, count: 1, appearance) != nil
            else { continue }
            parts.append(.display(ReportParts.named(info.name, value.display(appearance))))
        }
        return parts + shown(of: LossObject.self)
    }

    private var training: [ReportPage.Part] {
        values.compactMap { info, value in
            guard let log = value.object(LogObject.self), let last = log.rows.last else {
                return nil
            }
            let end = ["loss", "bound", "kl"].compactMap { column in
                last[column]?.asNumber.map { "\(column) \(NumberText.significant($0, digits: 4))" }
            }
            return .folded(
                title: "\(info.name): \(log.summary)"
                    + (end.isEmpty ? "" : ", at the end " + end.joined(separator: ", ")),
                parts: [.display(log.display(appearance))])
        }
    }

    /// Responses of both sides of each verdict, and token strips of the first rollouts.
    private func responses() throws -> [ReportPage.Part] {
        var parts: [ReportPage.Part] = []
        for (info, value) in values {
            guard let object = value.object(VerdictsObject.self) else { continue }
            for comparison in object.examples {
                parts.append(
                    .display(ReportParts.example(comparison, object, named: info.name)))
            }
        }
        let count = try invocation.integer("strips", atLeast: 0, atMost: 1000) ?? 4
        guard count > 0 else { return parts }
        for (info, value) in values where value.object(RolloutsObject.self) != nil {
            guard let strips = try CommandTable.strips(of: value, count: count, invocation) else {
                continue
            }
            parts.append(
                .folded(
                    title: "\(info.name): what a constitution changes, token by token",
                    parts: strips.displays.map { .display($0) }))
        }
        return parts
    }

    private func model() throws -> [ReportPage.Part] {
        guard let model = found("model"), let base = found("base") else { return [] }
        var parts: [ReportPage.Part] = [.display(model.display(appearance))]
        if model.model.parameters.layout == base.model.parameters.layout {
            let change = try CommandTable.compare(
                invocation.computing(model), invocation.computing(base), invocation)
            parts.append(
                .folded(
                    title: "model and base: the change of the weights",
                    parts: change.displays.map { .display($0) }))
        }
        return parts
    }

    private func found(_ name: String) -> ModelObject? {
        values.first { $0.info.name == name }?.value.object(ModelObject.self)
    }

    private var inventory: [ReportPage.Part] {
        var table = Table([
            .init("name"), .init("kind"), .init("what it is"), .init("made by", isNumeric: true),
            .init("digest", isNumeric: true),
        ])
        table.styles = [0: .name, 4: .faint]
        for info in names {
            let shown = values.first { $0.info.name == info.name }?.value.summary
            table.append([
                info.name, info.kind, shown ?? NumberText.bytes(info.bytes), "#\(info.sequence)",
                info.digest.map { String($0.prefix(12)) } ?? "",
            ])
        }
        var files: [InputFile] = []
        for file in history.filter({ $0.status == .committed }).flatMap(\.files)
        where !files.contains(file) {
            files.append(file)
        }
        var read = Table([
            .init("file that was read", keepsEnds: true), .init("bytes", isNumeric: true),
            .init("SHA-256", isNumeric: true),
        ])
        for file in files {
            read.append([
                file.path, NumberText.grouped(file.bytes),
                file.digest.map { String($0.prefix(12)) } ?? "",
            ])
        }
        var parts: [ReportPage.Part] = [.display(ReportParts.display(table))]
        if !files.isEmpty { parts.append(.display(ReportParts.display(read))) }
        return parts
    }

    private func again(_ path: String?) -> [ReportPage.Part] {
        var parts: [ReportPage.Part] = []
        if let path {
            parts.append(.prose("From the workspace, every value compared with the first run's:"))
            parts.append(.code("sami replay \(ReportParts.quoted(path)) --check"))
        }
        parts.append(
            .prose(
                "Without it, as a script, where sami has the files that were read; the same last "
                    + "bits need as much free memory as there was:"))
        parts.append(.code(ReportScript(history).text))
        return parts
    }

    private func shown<Object: SessionObject>(of type: Object.Type) -> [ReportPage.Part] {
        values.compactMap { info, value in
            guard let object = value.object(type) else { return nil }
            return .display(ReportParts.named(info.name, object.display(appearance)))
        }
    }
}

extension VerdictsObject {
    /// The first comparison that was won, the first that was lost, and the first tie of different
    /// responses: what each kind looks like, not the best of it.
    var examples: [Alignment.Comparison] {
        Judgement.allCases.compactMap { judgement in
            verdicts.comparisons.first {
                $0.judgement == judgement && $0.pair.first != $0.pair.second
            }
        }
    }
}
