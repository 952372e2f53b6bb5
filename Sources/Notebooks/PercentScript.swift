import JSON

/// A notebook as a script with percent cells: `# %%` opens a code cell, `# %% [markdown]` a cell
/// whose lines are comments. jupytext reads this form, and `sami run` runs it.
///
/// Ids, tags and other metadata of a cell follow its mark as `key=value` with JSON values.
/// Outputs are left out. Source: the documentation of jupytext, "The percent format".
public enum PercentScript {
    private static let mark = "# %%"

    public static func text(of notebook: Notebook) -> String {
        var ids = CellIDs()
        return notebook.cells.map { cell in
            var head = mark
            if cell.kind != .code { head += " [\(cell.kind.rawValue)]" }
            // An id that the script would get anyway is not written.
            if let id = cell.id, id != ids.free { head += " id=" + JSON.quoted(id) }
            ids.take(cell.id)
            for member in cell.metadata where isStored(member) {
                head += " \(member.key)=" + member.value.compact
            }
            let lines = PercentScript.lines(cell.source)
            let body = lines.map { line -> String in
                let written =
                    cell.kind == .code ? String(line) : line.isEmpty ? "#" : "# " + line
                return looksLikeMark(Substring(written)) ? "#" + written : written
            }
            return cell.source.isEmpty
                ? head + "\n" : ([head] + body).joined(separator: "\n") + "\n"
        }.joined(separator: "\n")
    }

    /// A key that can follow a mark. The records of a run are no part of a script.
    private static func isStored(_ member: JSON.Member) -> Bool {
        !["execution", "papermill"].contains(member.key)
            && member.key.utf8.allSatisfy { (0x61...0x7A).contains($0) || $0 == 0x5F || $0 == 0x2D }
            && !member.key.isEmpty
    }

    /// The cells of a script. A script without marks is one code cell.
    public static func notebook(of text: String) -> Notebook {
        var cells: [Notebook.Cell] = []
        var ids = CellIDs()
        var head = Head()
        var body: [Substring] = []
        func close() {
            // The blank line before the next mark, or the end of the last line, is of no cell.
            if body.last?.isEmpty == true { body.removeLast() }
            guard head.isMarked || body.contains(where: { !$0.allSatisfy(\.isWhitespace) }) else {
                body = []
                return
            }
            let lines = body.map { line -> String in
                let line = looksLikeMark(line) ? line.dropFirst() : line
                if head.kind == .code { return String(line) }
                return String(line.hasPrefix("# ") ? line.dropFirst(2) : line.drop { $0 == "#" })
            }
            // An id that Jupyter would refuse, or that another cell has, is replaced.
            let wanted = head.id.flatMap { Notebook.isID($0) && !ids.has($0) ? $0 : nil }
            let id = wanted ?? ids.free
            ids.take(id)
            var cell = Notebook.Cell(
                head.kind, id: id, source: lines.joined(separator: "\n"))
            if !head.metadata.isEmpty { cell.metadata = head.metadata }
            cells.append(cell)
            body = []
        }
        for line in lines(text) {
            if isMark(line) {
                close()
                head = Head(line.dropFirst(mark.count))
            } else {
                body.append(line)
            }
        }
        close()
        return Notebook(cells: cells)
    }

    /// Line ends of Windows and of old Macs are line ends too; to Swift "\r\n" is one character.
    private static func lines(_ text: String) -> [Substring] {
        text.replacing("\r\n", with: "\n").replacing("\r", with: "\n")
            .split(separator: "\n", omittingEmptySubsequences: false)
    }

    /// A mark, or one with more signs: a line of a cell that looks so gets one sign more.
    private static func looksLikeMark(_ line: Substring) -> Bool {
        let rest = line.drop { $0 == "#" }
        return line.hasPrefix("#") && isMark("#" + rest)
    }

    private static func isMark(_ line: Substring) -> Bool {
        guard line.hasPrefix(mark) else { return false }
        let rest = line.dropFirst(mark.count)
        return rest.isEmpty || rest.first == " "
    }

    /// The ids of the cells so far.
    private struct CellIDs {
        private var taken: Set<String> = []
        private var count = 0

        /// The id of the next cell if it has none: the same whenever the same script is converted.
        var free: String {
            var number = count + 1
            while taken.contains("cell-\(number)") { number += 1 }
            return "cell-\(number)"
        }

        func has(_ id: String) -> Bool { taken.contains(id) }

        mutating func take(_ id: String?) {
            count += 1
            if let id { taken.insert(id) }
        }
    }

    /// The line of a mark: ` [markdown] id="a" tags=["x"]`.
    private struct Head {
        var isMarked = false
        var kind = Notebook.Cell.Kind.code
        var id: String?
        var metadata: [JSON.Member] = []

        init() {}

        /// Reads the kind, the id and the metadata; titles of other programs are left out.
        init(_ text: Substring) {
            isMarked = true
            var rest = text.drop { $0 == " " }
            for kind in [Notebook.Cell.Kind.markdown, .raw]
            where rest.hasPrefix("[\(kind.rawValue)]") {
                self.kind = kind
                rest = rest.dropFirst(kind.rawValue.count + 2).drop { $0 == " " }
            }
            if rest.hasPrefix("[md]") {
                kind = .markdown
                rest = rest.dropFirst(4).drop { $0 == " " }
            }
            while let equals = rest.firstIndex(of: "=") {
                let key = rest[..<equals].split(separator: " ").last.map(String.init) ?? ""
                guard let (value, end) = Head.value(rest[rest.index(after: equals)...]) else {
                    break
                }
                rest = rest[end...].drop { $0 == " " }
                if key == "id", let id = value.string {
                    self.id = id
                } else if !key.isEmpty {
                    metadata.set(key, value)
                }
            }
        }

        /// The shortest start of a text that is JSON and that a blank or the end follows.
        private static func value(_ text: Substring) -> (JSON, Substring.Index)? {
            var end = text.startIndex
            repeat {
                end = text[end...].dropFirst().firstIndex(of: " ") ?? text.endIndex
                if let value = try? JSON.read(String(text[..<end]), limits: .init(depth: 16)) {
                    return (value, end)
                }
            } while end < text.endIndex
            return nil
        }
    }
}
