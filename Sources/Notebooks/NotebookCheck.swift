import CommandLanguage
import Sessions

extension Notebook {
    /// The program of every code cell that can run, with the place of its cell, and whether the
    /// cell is tagged `raises-exception`.
    ///
    /// - Parameter path: for the places of errors.
    public func programs(path: String) -> [(program: Program, mayFail: Bool)] {
        cells.enumerated().compactMap { index, cell in
            guard cell.kind == .code, !cell.tags.contains("skip-execution") else { return nil }
            return (
                Session.parse(cell.source, origin: SourceOrigin(file: path, cell: index + 1)),
                cell.tags.contains("raises-exception")
            )
        }
    }

    /// The mistakes that reading finds in the code cells, in order, each as text with its place.
    public func mistakes(path: String) -> [String] {
        programs(path: path).filter { !$0.mayFail }.map(\.program).flatMap { program in
            program.diagnostics.map { $0.rendered(in: program.source, origin: program.origin) }
        }
    }

    /// - Throws: if the notebook names another language than `sami`.
    public func requireLanguage(path: String) throws(NotebookError) {
        guard let language = namedLanguage, language != Notebook.language else { return }
        throw NotebookError(
            path, "its language is \(language), and this program runs notebooks of sami")
    }
}
