import Alignment
import Worlds

extension Alignment.Query {
    /// A query of the shipped world.
    package init(_ query: Worlds.Query) {
        self.init(
            id: QueryID(query.id), form: query.kind == .summary ? .post : .question,
            text: query.body)
    }
}
