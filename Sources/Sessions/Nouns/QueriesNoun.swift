import Alignment
import Workspaces

/// What users ask.
struct QueriesNoun: StoredNoun, ListNoun {
    static let kind = "queries"

    var queries: [Query]

    static let fields: [Field<QueriesNoun>] = [
        Field("count", "how many there are") { Value($0.queries.count) },
        Field("ids", "their ids") { Value($0.queries.map(\.id)) },
    ]

    var count: Int? { queries.count }

    func item(_ index: Int) -> Value { .noun(QueryNoun(query: queries[index])) }

    func taking(_ indices: [Int]) -> Value {
        .noun(QueriesNoun(queries: indices.map { queries[$0] }))
    }

    static func holding(_ value: Value) -> (any Noun)? {
        if let one = value.noun(QueryNoun.self) { return QueriesNoun(queries: [one.query]) }
        guard case .list(let items) = value, !items.isEmpty else { return nil }
        var queries: [Query] = []
        for (index, item) in items.enumerated() {
            if let one = item.noun(QueryNoun.self) {
                queries.append(one.query)
            } else if case .text(let text) = item {
                queries.append(Query(id: "\(index)", form: .text, text: text))
            } else if case .record(let record) = item,
                let query = try? Query(id: record["id"]?.asText ?? "\(index)", fields: record.texts)
            {
                queries.append(query)
            } else {
                return nil
            }
        }
        return QueriesNoun(queries: queries)
    }

    var summary: String {
        let forms = QueryForm.allCases.compactMap { form -> String? in
            let count = queries.count { $0.form == form }
            return count == 0 ? nil : NumberText.count(count, form.rawValue)
        }
        return forms.isEmpty ? "no queries" : forms.joined(separator: ", ")
    }

    func drawn(_ appearance: Appearance) -> StyledText {
        var text = StyledText(NumberText.count(queries.count, "query", "queries"), .heading)
        var table = Table([.init("", isNumeric: true), .init("id"), .init("text")])
        table.styles = [0: .faint, 1: .name]
        for (index, query) in queries.prefix(6).enumerated() {
            table.append(["\(index)", query.id, query.text.prefix(300).description])
        }
        if !queries.isEmpty { text.line(table.drawn(appearance, showsTitles: false)) }
        if queries.count > 6 { text.line("… and \(queries.count - 6) more", .faint) }
        return text
    }

    var exported: Value { .list(queries.map { QueryNoun(query: $0).exported }) }

    func stored() throws -> StoredValue {
        .list(
            queries.map { query in
                .record(
                    StoredRecord([
                        ("id", .text(query.id)), (query.form.rawValue, .text(query.text)),
                    ]))
            })
    }

    static func restored(_ value: StoredValue) throws -> QueriesNoun {
        let queries = try (value.listValue ?? []).map { item in
            var fields: [String: String] = [:]
            for field in item.recordValue?.fields ?? [] {
                fields[field.key] = field.value.textValue
            }
            return try Query(id: fields.removeValue(forKey: "id") ?? "", fields: fields)
        }
        return QueriesNoun(queries: queries)
    }
}

/// One of them.
struct QueryNoun: StoredNoun {
    static let kind = "query"

    var query: Query

    static let fields: [Field<QueryNoun>] = [
        Field("id", "its name") { .text($0.query.id) },
        Field("form", "post, question or text") { .text($0.query.form.rawValue) },
        Field("text", "what is asked") { .text($0.query.text) },
    ]

    var summary: String { query.id + ": " + TextWidth.cut(TextWidth.oneLine(query.text), to: 60) }

    func drawn(_ appearance: Appearance) -> StyledText {
        var text = StyledText("\(query.form.rawValue) \(query.id)", .faint)
        for line in TextWidth.wrapped(TextWidth.printable(query.text), to: appearance.columns) {
            text.line(line)
        }
        return text
    }

    var exported: Value {
        .record(["id": .text(query.id), query.form.rawValue: .text(query.text)])
    }

    func stored() throws -> StoredValue {
        try QueriesNoun(queries: [query]).stored()
    }

    static func restored(_ value: StoredValue) throws -> QueryNoun {
        guard let query = try QueriesNoun.restored(value).queries.first else {
            throw StorageError(kind: kind, problem: "it is empty")
        }
        return QueryNoun(query: query)
    }
}

extension Record {
    /// The fields that hold text.
    var texts: [String: String] {
        var texts: [String: String] = [:]
        for (key, value) in self {
            if case .text(let text) = value, key != "id" { texts[key] = text }
        }
        return texts
    }
}
