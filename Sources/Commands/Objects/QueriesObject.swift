import Alignment
import CommandLanguage
import HDF5Objects
import Rendering
import TextModels
import Values

/// The requests of users.
struct QueriesObject: StorableObject, ListObject {
    static let kind = "queries"

    var queries: [Query]

    init(queries: [Query]) {
        self.queries = queries
    }

    static let fields: [Field<QueriesObject>] = [
        Field("count", "number of queries") { Value($0.queries.count) },
        Field("ids", "their ids") { Value($0.queries.map(\.id.text)) },
    ]

    var count: Int? { queries.count }

    var itemIDs: [String]? { queries.map(\.id.text) }

    func item(_ index: Int) -> Value { .object(QueryObject(query: queries[index])) }

    func selecting(_ indices: [Int]) -> Value {
        .object(QueriesObject(queries: indices.map { queries[$0] }))
    }

    static let typedItem: String? = #"{"id": "a", "post": "A post."}"#

    /// Accepts queries, texts, and records as a file has them.
    init?(wrapping value: Value) throws(EvaluationError) {
        if let one = value.object(QueryObject.self) {
            self.init(queries: [one.query])
            return
        }
        var value = value
        if case .list(let items) = value {
            value = .list(
                items.map { item in
                    if case .text = item { .record(["text": item]) } else { item }
                })
        }
        guard
            let records = try RecordLines(
                typed: value, as: QueriesObject.kind, form: QueriesObject.typedItem ?? "")
        else { return nil }
        try self.init(records)
    }

    /// Queries without an id get their place in the list as their id.
    ///
    /// - Throws: a sentence about the first record without the text of a query.
    init(_ records: RecordLines) throws(EvaluationError) {
        queries = try QueriesObject.read(records).map(\.query)
    }

    /// The queries of a file, each with the field that its text is from.
    ///
    /// - Parameter field: the field that holds the text; nil for the first known one.
    static func read(
        _ records: RecordLines, field: String? = nil
    ) throws(EvaluationError) -> [(query: Query, source: String)] {
        var taken: Set<QueryID> = []
        for line in records.lines {
            if let id = try records.id("id", line) { taken.insert(id) }
        }
        var queries: [(query: Query, source: String)] = []
        for (index, line) in records.lines.enumerated() {
            let id = try records.id("id", line) ?? QueryID(place: index, taken: taken)
            let found =
                if let field { try QueryText(field: field, line, records) } else {
                    try QueryText(id, line, records)
                }
            do {
                let query = try Query(id: id, fields: [found.form.rawValue: found.text])
                queries.append((query, found.source))
            } catch {
                throw records.bad(line, ErrorSentence.of(error))
            }
        }
        return queries
    }

    var summary: String {
        let forms = QueryForm.allCases.compactMap { form -> String? in
            let count = queries.count { $0.form == form }
            return count == 0 ? nil : NumberText.count(count, form.rawValue)
        }
        return forms.isEmpty ? "no queries" : forms.joined(separator: ", ")
    }

    /// How many queries are shown unless the user says how many.
    static let shownCount = 6

    func document(_ appearance: Appearance) -> Document {
        document(appearance, count: QueriesObject.shownCount)
    }

    /// - Parameter count: how many of the first queries are shown.
    func document(_ appearance: Appearance, count shown: Int) -> Document {
        var document = Document(NumberText.count(queries.count, "query", "queries"), .heading)
        var table = Table([.init("", isNumeric: true), .init("id"), .init("text")])
        table.styles = [0: .faint, 1: .name]
        for (index, query) in queries.prefix(shown).enumerated() {
            table.append(["\(index)", query.id.text, query.text.prefix(300).description])
        }
        if !queries.isEmpty { document.line(table, showsTitles: false) }
        if queries.count > shown {
            document.line("… and \(queries.count - shown) more", .faint)
        }
        return document
    }

    var jsonValue: Value { .list(queries.map { QueryObject(query: $0).jsonValue }) }

    func stored() throws -> StoredValue {
        .list(
            queries.map { query in
                .record(
                    StoredRecord([
                        ("id", .text(query.id.text)), (query.form.rawValue, .text(query.text)),
                    ]))
            })
    }

    static func restored(_ value: StoredValue) throws -> QueriesObject {
        let queries = try (value.listValue ?? []).map { item in
            var fields: [String: String] = [:]
            for field in item.recordValue?.fields ?? [] {
                fields[field.key] = field.value.textValue
            }
            return try Query(id: QueryID(fields.removeValue(forKey: "id") ?? ""), fields: fields)
        }
        return QueriesObject(queries: queries)
    }
}

/// One query.
struct QueryObject: StorableObject {
    static let kind = "query"

    var query: Query

    static let fields: [Field<QueryObject>] = [
        Field("id", "its name") { .text($0.query.id.text) },
        Field("form", "post, question or text") { .text($0.query.form.rawValue) },
        Field("text", "the text of the query") { .text($0.query.text) },
    ]

    /// Files name the text by its form.
    static let otherFieldNames = ["post": "text", "question": "text"]

    var summary: String { "\(query.id): " + TextWidth.cut(TextWidth.oneLine(query.text), to: 60) }

    func document(_ appearance: Appearance) -> Document {
        var document = Document("\(query.form.rawValue) \(query.id)", .faint)
        for line in TextWidth.wrapped(TextWidth.printable(query.text), to: appearance.columns) {
            document.line(line)
        }
        return document
    }

    var jsonValue: Value {
        .record(["id": .text(query.id.text), query.form.rawValue: .text(query.text)])
    }

    func stored() throws -> StoredValue {
        try QueriesObject(queries: [query]).stored()
    }

    static func restored(_ value: StoredValue) throws -> QueryObject {
        guard let query = try QueriesObject.restored(value).queries.first else {
            throw StorageError(kind: kind, problem: "it is empty")
        }
        return QueryObject(query: query)
    }
}
