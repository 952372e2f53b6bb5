import Alignment
import HDF5Objects
import Rendering
import Tokenizers
import Values

/// The constitutions of queries: composed ones, one group for each query; or those of a file, which
/// are distributed over the queries.
struct ConstitutionsObject: StorableObject {
    static let kind = "constitutions"

    enum Content: Sendable, Codable {
        case groups([ConstitutionGroup])
        case sources([ConstitutionSource])
    }

    var content: Content

    var groups: [ConstitutionGroup]? {
        if case .groups(let groups) = content { return groups }
        return nil
    }

    static let fields: [Field<ConstitutionsObject>] = [
        Field("count", "number of groups") { Value($0.count ?? 0) },
        Field("ids", "the queries; null for constitutions of a file") { object in
            object.itemIDs.map { Value($0) } ?? .null
        },
        Field("texts", "their texts, a list for each group") { object in
            .list((0..<(object.count ?? 0)).map { Value(object.texts($0)) })
        },
        Field("training", "their texts in the order of the training prompt") { object in
            .list((object.groups ?? []).map { Value($0.training.map(\.text)) })
        },
    ]

    var count: Int? {
        switch content {
        case .groups(let groups): groups.count
        case .sources(let sources): sources.count
        }
    }

    var itemIDs: [String]? { groups?.map(\.query.text) }

    func item(_ index: Int) -> Value {
        switch content {
        case .groups(let groups):
            return .record([
                "query": .text(groups[index].query.text),
                "constitutions": Value(groups[index].constitutions.map(\.text)),
                "training": Value(groups[index].training.map(\.text)),
            ])
        case .sources(let sources): return ConstitutionsObject.line(sources[index])
        }
    }

    func selecting(_ indices: [Int]) -> Value {
        switch content {
        case .groups(let groups):
            .object(ConstitutionsObject(content: .groups(indices.map { groups[$0] })))
        case .sources(let sources):
            .object(ConstitutionsObject(content: .sources(indices.map { sources[$0] })))
        }
    }

    private func texts(_ index: Int) -> [String] {
        switch content {
        case .groups(let groups): return groups[index].constitutions.map(\.text)
        case .sources(let sources):
            switch sources[index] {
            case .written(let constitutions): return constitutions.map(\.text)
            case .pairs(let pairs): return pairs.map(\.principle)
            }
        }
    }

    var summary: String {
        switch content {
        case .groups(let groups):
            "\(groups.first?.constitutions.count ?? 0) for each of "
                + NumberText.count(groups.count, "query", "queries")
        case .sources(let sources):
            "\(NumberText.count(sources.count, "entry", "entries")) of a file"
        }
    }

    func document(_ appearance: Appearance) -> Document { document(appearance, count: 1) }

    /// - Parameter shown: how many of the first groups are shown.
    func document(_ appearance: Appearance, count shown: Int) -> Document {
        var document = Document("constitutions: \(summary)", .heading)
        let all = count ?? 0
        for group in 0..<min(shown, all) {
            for (index, constitution) in texts(group).enumerated() {
                document.line("[\(group)] constitution \(index)", .faint)
                for line in TextWidth.wrapped(constitution, to: appearance.columns - 2) {
                    document.line("  " + line)
                }
            }
        }
        if all > shown { document.line("… and \(all - shown) more", .faint) }
        return document
    }

    /// A line of a constitutions file, which `load constitutions` reads back.
    private static func line(_ source: ConstitutionSource) -> Value {
        switch source {
        case .written(let constitutions) where constitutions.count == 2:
            .record([
                "positive": .text(constitutions[0].text), "negative": .text(constitutions[1].text),
            ])
        case .written(let constitutions):
            .record(["constitutions": Value(constitutions.map(\.text))])
        case .pairs(let pairs):
            .record([
                "principles": Value(pairs.map(\.principle)),
                "antitheses": Value(pairs.map(\.antithesis)),
            ])
        }
    }

    var jsonValue: Value {
        switch content {
        case .sources(let sources): return .list(sources.map(ConstitutionsObject.line))
        case .groups(let groups):
            return .list(
                groups.map { group in
                    guard
                        case .record(var record) = ConstitutionsObject.line(
                            .written(group.constitutions))
                    else { return .null }
                    record["query"] = .text(group.query.text)
                    return .record(record)
                })
        }
    }

    func stored() throws -> StoredValue { try StoredValue(encoding: content) }

    static func restored(_ value: StoredValue) throws -> ConstitutionsObject {
        ConstitutionsObject(
            content: try value.restored(Content.self, kind: kind))
    }
}

/// Older workspaces identify a query by its place in its list.
extension ConstitutionsObject {
    static func namesPlaces(_ stored: StoredValue) -> Bool {
        guard let first = stored["groups"]?["_0"]?.listValue?.first else { return false }
        return first["query"]?.numberValue != nil
    }

    /// The groups with the ids of the queries at their places.
    func naming(_ queries: [Query]) -> ConstitutionsObject {
        guard case .groups(var groups) = content else { return self }
        for index in groups.indices {
            guard let place = Int(groups[index].query.text), queries.indices.contains(place)
            else { continue }
            groups[index].query = queries[place].id
        }
        return ConstitutionsObject(content: .groups(groups))
    }
}
