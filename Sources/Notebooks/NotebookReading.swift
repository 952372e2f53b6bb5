import Files
import JSON

extension Notebook {
    /// Larger files are refused: a notebook lies in memory several times while it is read.
    public static let largestFile = 128 << 20

    /// Reads a file.
    ///
    /// - Throws: ``NotebookError``.
    public static func read(_ path: String) throws(NotebookError) -> Notebook {
        let file: RegularFile
        let bytes: [UInt8]
        do throws(FileError) {
            file = try RegularFile(path)
            bytes = file.size <= largestFile ? try file.contents() : []
        } catch {
            throw NotebookError(path, "\(error.reason)")
        }
        guard file.size <= largestFile else {
            throw NotebookError(
                path, "it holds \(file.size >> 20) MB, and notebooks up to 128 MB are read")
        }
        return try Notebook(bytes, path: path)
    }

    /// - Parameter path: for messages.
    /// - Throws: with a sentence, if the bytes are no notebook of nbformat 4. The content may come
    ///   from a stranger.
    public init(_ bytes: [UInt8], path: String) throws(NotebookError) {
        let json: JSON
        do throws(JSON.Problem) {
            json = try JSON.read(bytes, limits: .init(depth: 64))
        } catch {
            throw NotebookError(path, "it is no notebook: \(error)")
        }
        guard let members = json.members, let version = json["nbformat"] else {
            throw NotebookError(
                path, "it is no notebook: `nbformat` is missing",
                remedy: "a notebook is a JSON object with `cells`, `metadata` and `nbformat`")
        }
        guard version.integer == 4 else {
            throw NotebookError(
                path, "it is a notebook of version \(version.compact), and version 4 is read",
                remedy: "`jupyter nbconvert --to notebook` makes one of it")
        }
        guard json["metadata"]?.members != nil else {
            throw NotebookError(path, "`metadata` of the notebook must be an object")
        }
        if let minor = json["nbformat_minor"], minor.integer.map({ $0 < 0 }) ?? true {
            throw NotebookError(path, "`nbformat_minor` must be a whole number")
        }
        guard let items = json["cells"]?.elements else {
            throw NotebookError(path, "`cells` of the notebook must be a list")
        }
        var cells: [Cell] = []
        var places: [String: Int] = [:]
        for (index, item) in items.enumerated() {
            let number = index + 1
            if let problem = Notebook.problem(of: item) {
                throw NotebookError(path, "cell \(number): \(problem)")
            }
            let cell = Cell(members: item.members ?? [])
            if let id = cell.id {
                if let other = places[id] {
                    throw NotebookError(
                        path, "cells \(other) and \(number) have the same id, \(JSON.quoted(id))",
                        remedy: "give one of them another")
                }
                places[id] = number
            }
            cells.append(cell)
        }
        self.init(members: members, cells: cells)
    }

    /// Whether a text can be the id of a cell.
    static func isID(_ text: String) -> Bool {
        (1...64).contains(text.utf8.count)
            && text.utf8.allSatisfy { byte in
                switch byte {
                case 0x30...0x39, 0x41...0x5A, 0x61...0x7A, 0x2D, 0x5F: true
                default: false
                }
            }
    }

    /// The fault of a cell, as part of a sentence; nil if it is in order.
    private static func problem(of cell: JSON) -> String? {
        guard cell.members != nil else { return "it must be an object" }
        guard let kind = cell["cell_type"]?.string.flatMap(Cell.Kind.init) else {
            return "`cell_type` must be code, markdown or raw"
        }
        guard cell["source"]?.joinedLines != nil else {
            return "`source` must be text or a list of lines"
        }
        guard cell["metadata"]?.members != nil else { return "`metadata` must be an object" }
        if let id = cell["id"], id.string.map(isID) != true {
            return "`id` must be 1 to 64 letters, digits, - and _"
        }
        guard kind == .code else { return nil }
        guard let outputs = cell["outputs"]?.elements else { return "`outputs` must be a list" }
        if let place = outputs.firstIndex(where: { $0["output_type"]?.string == nil }) {
            return "output \(place + 1) must be an object with `output_type`"
        }
        if let count = cell["execution_count"], !count.isNull, count.integer == nil {
            return "`execution_count` must be a whole number or null"
        }
        return nil
    }
}
