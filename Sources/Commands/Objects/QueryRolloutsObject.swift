import Alignment
import HDF5Objects
import Rendering
import Values

/// The responses of one query under its constitutions. Response j is column j of the query's S.
struct QueryRolloutsObject: StorableObject {
    static let kind = "group"

    var group: RolloutGroup
    /// The query of the group; nil if only prompts are known.
    var query: Query?

    static let fields: [Field<QueryRolloutsObject>] = [
        Field("query", "the id of the query") { .text($0.group.id.text) },
        Field("asked", "the text of the query") { Value($0.query?.text) },
        Field("constitutions", "the texts of the constitutions") {
            Value($0.group.constitutions.map(\.text))
        },
        Field("count", "number of responses") { Value($0.group.responses.count) },
        Field("samples", "number of responses of a constitution") { Value($0.group.samples) },
    ]

    var count: Int? { group.responses.count }

    func item(_ index: Int) -> Value {
        .object(RolloutObject(group: group, query: query, index: index))
    }

    /// The query that a value belongs to: all its responses, or one of them.
    static func origin(of value: Value) -> (group: RolloutGroup, query: Query?)? {
        if let all = value.object(QueryRolloutsObject.self) { return (all.group, all.query) }
        if let one = value.object(RolloutObject.self) { return (one.group, one.query) }
        return nil
    }

    var summary: String {
        "\(NumberText.count(group.responses.count, "response")) to \(group.id)"
    }

    func document(_ appearance: Appearance) -> Document {
        var document = Document("rollouts of \(group.id): ", .heading)
        document.append(
            "\(NumberText.count(group.prompts.count, "constitution")) × "
                + NumberText.count(group.samples, "sample"))
        for (index, response) in group.responses.enumerated() {
            document.line("[\(index)] constitution \(response.constitution)", .name)
            let body = response.text ?? response.content.value.json
            for line in TextWidth.wrapped(TextWidth.printable(body), to: appearance.columns - 2) {
                document.line("  " + line)
            }
        }
        return document
    }

    var jsonValue: Value {
        var record = fieldRecord
        record["responses"] = .list(group.responses.map(\.content.value))
        return .record(record)
    }

    func stored() throws -> StoredValue {
        .record(
            StoredRecord([
                ("group", try StoredValue(encoding: group)),
                ("query", try query.map { try StoredValue(encoding: $0) } ?? .null),
            ]))
    }

    static func restored(_ value: StoredValue) throws -> QueryRolloutsObject {
        guard let group = value["group"] else {
            throw StorageError(kind: kind, problem: "a part of it is missing")
        }
        let query = [value["query"]].compactMap(\.self).first { $0 != .null }
        return QueryRolloutsObject(
            group: try group.restored(RolloutGroup.self, kind: kind),
            query: try query.map { try $0.restored(Query.self, kind: kind) })
    }
}
