import TextModels

/// One request of a user: a post to summarize or a question to answer.
public struct Query: Sendable, Codable, Hashable {
    public var id: QueryID
    public var form: QueryForm
    public var text: String

    public init(id: QueryID, form: QueryForm, text: String) {
        self.id = id
        self.form = form
        self.text = text
    }

    /// A query from one record of a queries file. The record must have exactly one of the fields
    /// `post`, `question` and `text`.
    ///
    /// - Throws: `AlignmentError.queryFields` if none or several of the three fields are present,
    ///   `.emptyQuery` if the field holds only blanks.
    public init(id: QueryID, fields: [String: String]) throws {
        let given = QueryForm.allCases.filter { fields[$0.rawValue] != nil }
        guard given.count == 1, let form = given.first, let text = fields[form.rawValue] else {
            throw AlignmentError.queryFields(
                query: id.text, given: given.isEmpty ? fields.keys.sorted() : given.map(\.rawValue))
        }
        guard text.contains(where: { !$0.isWhitespace }) else {
            throw AlignmentError.emptyQuery(query: id.text)
        }
        self.init(id: id, form: form, text: text)
    }
}

/// Queries, found by their ids.
struct QueryList {
    let queries: [Query]
    private let places: [QueryID: Int]

    /// - Throws: `AlignmentError.noQueries`, `.duplicateQuery`.
    init(_ queries: [Query]) throws {
        guard !queries.isEmpty else { throw AlignmentError.noQueries }
        var places: [QueryID: Int] = [:]
        for (place, query) in queries.enumerated() {
            guard places.updateValue(place, forKey: query.id) == nil else {
                throw AlignmentError.duplicateQuery(query.id.text)
            }
        }
        self.queries = queries
        self.places = places
    }

    /// The place of the query in the list: the random numbers of its responses depend on it.
    ///
    /// - Throws: `AlignmentError.unknownQuery`.
    func place(of id: QueryID) throws -> Int {
        guard let place = places[id] else { throw AlignmentError.unknownQuery(id.text) }
        return place
    }

    /// The query that a pair answers; one of the list if the pair does not have it.
    ///
    /// - Throws: `AlignmentError.unknownQuery`.
    func query(of pair: ResponsePair) throws -> Query { try pair.query ?? self[pair.id] }

    /// - Throws: `AlignmentError.unknownQuery`.
    subscript(_ id: QueryID) -> Query {
        get throws { queries[try place(of: id)] }
    }
}
