import JSON

/// A notebook of nbformat 4: cells with their sources and outputs.
///
/// Everything that this type does not know keeps its JSON, so that a notebook which was read and
/// written again has lost nothing. Source: the schema of nbformat 4.5.
///
/// ```swift
/// var notebook = try Notebook(bytes, path: "lesson.ipynb")
/// notebook.cells[0].source = "load model default"
/// let file = notebook.json.asJupyterWrites
/// ```
public struct Notebook: Equatable, Sendable {
    /// Members of the whole notebook but for its cells: `metadata`, `nbformat`, `nbformat_minor`.
    private var members: [JSON.Member]
    public var cells: [Cell]

    /// A notebook of this version in the language of `sami`.
    public init(cells: [Cell]) {
        members = [
            .init("metadata", .object(Notebook.languageMembers)), .init("nbformat", 4),
            .init("nbformat_minor", 5),
        ]
        self.cells = cells
    }

    init(members: [JSON.Member], cells: [Cell]) {
        self.members = members.filter { $0.key != "cells" }
        self.cells = cells
    }

    /// The name under which Jupyter knows the language.
    public static let language = "sami"

    private static let languageMembers: [JSON.Member] = [
        .init(
            "kernelspec",
            ["display_name": "sami", "language": "sami", "name": "sami"]),
        .init(
            "language_info",
            ["file_extension": ".sami", "mimetype": "text/x-sami", "name": "sami"]),
    ]

    public var metadata: [JSON.Member] {
        get { members.first { $0.key == "metadata" }?.value.members ?? [] }
        set { members.set("metadata", .object(newValue)) }
    }

    /// Cells have ids from minor version 5 on.
    public var hasIDs: Bool { (JSON.object(members)["nbformat_minor"]?.integer ?? 0) >= 5 }

    /// The language that the notebook names; nil if it names none.
    public var namedLanguage: String? {
        let metadata = JSON.object(metadata)
        return metadata["kernelspec"]?["language"]?.string
            ?? metadata["language_info"]?["name"]?.string
            ?? metadata["kernelspec"]?["name"]?.string
    }

    public var json: JSON {
        .object(members + [.init("cells", .array(cells.map { .object($0.members) }))])
    }
}

extension Notebook {
    public struct Cell: Equatable, Sendable {
        public enum Kind: String, Sendable, CaseIterable {
            case code, markdown, raw
        }

        /// All members, in the order of the file.
        var members: [JSON.Member]

        init(members: [JSON.Member]) { self.members = members }

        /// - Parameter id: nil in a notebook whose cells have no ids.
        public init(_ kind: Kind, id: String?, source: String, tags: [String] = []) {
            members = [.init("cell_type", .string(kind.rawValue))]
            if let id { members.append(.init("id", .string(id))) }
            members.append(.init("metadata", [:]))
            members.append(.init("source", .lines(source)))
            if kind == .code {
                members += [.init("execution_count", nil), .init("outputs", [])]
            }
            if !tags.isEmpty { self.tags = tags }
        }

        private subscript(key: String) -> JSON? {
            get { members.first { $0.key == key }?.value }
            set { members.set(key, newValue ?? .null) }
        }

        public var kind: Kind { (self["cell_type"]?.string).flatMap(Kind.init) ?? .raw }

        public var id: String? { self["id"]?.string }

        public var source: String {
            get { self["source"]?.joinedLines ?? "" }
            set { if newValue != source { self["source"] = .lines(newValue) } }
        }

        public var metadata: [JSON.Member] {
            get { self["metadata"]?.members ?? [] }
            set { self["metadata"] = .object(newValue) }
        }

        public var tags: [String] {
            get {
                JSON.object(metadata)["tags"]?.elements?.compactMap(\.string) ?? []
            }
            set { metadata.set("tags", .array(newValue.map(JSON.string))) }
        }

        /// Of a code cell.
        public var outputs: [JSON] {
            get { self["outputs"]?.elements ?? [] }
            set {
                guard JSON.array(newValue).sorted != JSON.array(outputs).sorted else { return }
                self["outputs"] = .array(newValue)
            }
        }

        /// The number of the run that made the outputs; nil if it never ran.
        public var executionCount: Int? {
            get { self["execution_count"]?.integer }
            set {
                if newValue != executionCount {
                    self["execution_count"] = newValue.map(JSON.integer) ?? .null
                }
            }
        }
    }
}

extension [JSON.Member] {
    /// Replaces the value of a key, or adds it at the end.
    mutating func set(_ key: String, _ value: JSON) {
        if let place = firstIndex(where: { $0.key == key }) {
            self[place].value = value
        } else {
            append(.init(key, value))
        }
    }
}

extension JSON {
    /// A text as nbformat stores it: a list of its lines, each with its line end.
    static func lines(_ text: String) -> JSON {
        var lines: [JSON] = []
        var rest = Substring(text)
        while let end = rest.utf8.firstIndex(of: 0x0A) {
            let next = rest.utf8.index(after: end)
            lines.append(.string(String(rest[..<next])))
            rest = rest[next...]
        }
        if !rest.isEmpty { lines.append(.string(String(rest))) }
        return .array(lines)
    }

    /// The text of a list of lines, or of one text; nil for anything else.
    var joinedLines: String? {
        switch self {
        case .string(let text): return text
        case .array(let items):
            let lines = items.compactMap(\.string)
            return lines.count == items.count ? lines.joined() : nil
        default: return nil
        }
    }

    /// The bytes that Jupyter writes for a notebook: keys in order, one blank a level, a line end
    /// at the end.
    public var asJupyterWrites: String {
        var writer = JSON.Writer(style: .python)
        writer.value(sorted)
        return writer.text + "\n"
    }

    /// The same value with the members of every object in the order of their code points: that of
    /// the file means nothing.
    var sorted: JSON {
        switch self {
        case .array(let items): .array(items.map(\.sorted))
        case .object(let members):
            .object(
                members.map { .init($0.key, $0.value.sorted) }
                    .sorted { $0.key.utf8.lexicographicallyPrecedes($1.key.utf8) })
        default: self
        }
    }
}
