/// What a query shows the model, and hence what a response to it is.
public enum QueryForm: String, Sendable, Codable, CaseIterable {
    /// A post; the response summarizes it.
    case post
    /// A question; the response answers it.
    case question
    /// Text that goes into the prompt as it is.
    case text
}

/// One thing a user asks: a post to summarize or a question to answer.
public struct Query: Sendable, Codable, Hashable {
    /// Names the query in messages and results; unique within a list by convention only.
    public var id: String
    public var form: QueryForm
    public var text: String

    public init(id: String, form: QueryForm, text: String) {
        self.id = id
        self.form = form
        self.text = text
    }

    /// A query from one record of a queries file: exactly one of `post`, `question` and `text`
    /// holds what is asked.
    ///
    /// - Throws: `AlignmentError.queryFields` when none or several of the three are there,
    ///   `.emptyQuery` when the one that is there holds only blanks.
    public init(id: String, fields: [String: String]) throws {
        let given = QueryForm.allCases.filter { fields[$0.rawValue] != nil }
        guard given.count == 1, let form = given.first, let text = fields[form.rawValue] else {
            throw AlignmentError.queryFields(
                query: id, given: given.isEmpty ? fields.keys.sorted() : given.map(\.rawValue))
        }
        guard text.contains(where: { !$0.isWhitespace }) else {
            throw AlignmentError.emptyQuery(query: id)
        }
        self.init(id: id, form: form, text: text)
    }
}
