import CommandLanguage
import Foundation
import JSON
import Sessions

/// Values from outside, in the manner of papermill: a cell tagged `parameters` has the names with
/// their usual values, and a cell tagged `injected-parameters` after it sets others.
extension Notebook {
    private static let tag = "parameters"
    private static let injectedTag = "injected-parameters"

    /// Sets parameters, in place of those of an earlier run.
    ///
    /// - Parameter values: names with the texts of their values: a literal, or else text.
    /// - Throws: for a name that the notebook does not have.
    public mutating func setParameters(
        _ values: [(name: String, value: String)], path: String
    ) throws(NotebookError) {
        guard !values.isEmpty else { return }
        var names: Set<String> = []
        for (name, _) in values where !names.insert(name).inserted {
            throw NotebookError(path, "the parameter `\(name)` is given twice")
        }
        guard
            let place = cells.firstIndex(where: {
                $0.kind == .code && $0.tags.contains(Notebook.tag)
            })
        else {
            throw NotebookError(
                path, "no cell is tagged `parameters`, so nothing takes `\(values[0].name)`",
                remedy: "tag the cell that has the names and their usual values")
        }
        let known = ScriptParameters(of: Session.parse(cells[place].source))
        for (name, _) in values where !known.takes(name) {
            let names = known.literals.map { "`\($0)`" }.joined(separator: ", ")
            throw NotebookError(
                path, "there is no parameter `\(name)`",
                remedy: nearest(name, in: known.literals).map { "did you mean `\($0)`?" }
                    ?? (names.isEmpty ? "cell \(place + 1) has none" : "it has \(names)"))
        }
        let source =
            "# Parameters\n"
            + values.map { "\($0.name) = \(CommandGrammar.literal($0.value))" }
            .joined(separator: "\n")
        if let old = cells.firstIndex(where: { $0.tags.contains(Notebook.injectedTag) }) {
            cells[old].source = source
        } else {
            cells.insert(
                Cell(
                    .code, id: hasIDs ? freeID(Notebook.injectedTag) : nil, source: source,
                    tags: [Notebook.injectedTag]), at: place + 1)
        }
    }

    /// An id that no cell has.
    private func freeID(_ wanted: String) -> String {
        let taken = Set(cells.compactMap(\.id))
        var (id, number) = (wanted, 1)
        while taken.contains(id) {
            number += 1
            id = "\(wanted)-\(number)"
        }
        return id
    }

    /// Keeps the parameters of a run and its times in the metadata, as papermill does.
    public mutating func setRecord(
        of values: [(name: String, value: String)], from start: Date, to end: Date
    ) {
        metadata.set(
            "papermill",
            [
                "parameters": .object(values.map { .init($0.name, .string($0.value)) }),
                "start_time": JSON.time(start),
                "end_time": JSON.time(end),
                "duration": .double(end.timeIntervalSince(start)),
            ])
    }

    /// The outputs of another version of the notebook, for the cells whose source is the same.
    public mutating func takeOutputs(of other: Notebook) {
        var left = other.cells.filter { $0.kind == .code }
        for place in cells.indices where cells[place].kind == .code {
            let source = cells[place].source
            guard let same = left.firstIndex(where: { $0.source == source }) else { continue }
            (cells[place].outputs, cells[place].executionCount) = (
                left[same].outputs, left[same].executionCount
            )
            left.remove(at: same)
        }
    }
}
