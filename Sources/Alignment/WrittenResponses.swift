import TextModels

/// A response from another source, for one query.
public struct WrittenResponse: Sendable, Codable, Hashable {
    /// The query that it answers.
    public var query: QueryID
    public var text: String

    public init(query: QueryID, text: String) {
        self.query = query
        self.text = text
    }
}

extension Rollouts {
    /// Responses of other models or of people, in place of sampled responses. List `i` holds the
    /// responses of constitution `i`: one for each query, or k of them.
    ///
    /// - Parameters:
    ///   - written: C lists. Responses to queries that are not in the groups are ignored. If a list
    ///     has fewer responses to a query than the others, the query is rejected as `missing`.
    ///   - constitutions: the groups of the queries, C constitutions each.
    ///   - chat: writes prompts that are messages as text.
    /// - Throws: `AlignmentError.responseLists` if there are not C lists; `.unknownQuery`,
    ///   `.duplicateQuery`, `.noQueries`; `PromptError.noChatTemplate`, an error of the template.
    public init(
        written: [[WrittenResponse]], queries: [Query], constitutions: [ConstitutionGroup],
        prompts: Prompts, chat: ChatFormat? = nil
    ) throws {
        let queries = try QueryList(queries)
        var result = Rollouts(groups: [])
        let byQuery = written.map { list in Dictionary(grouping: list, by: \.query) }
        for group in constitutions {
            guard group.constitutions.count == written.count else {
                throw AlignmentError.responseLists(
                    found: written.count, constitutions: group.constitutions.count)
            }
            let query = try queries[group.query]
            let rows = byQuery.map { ($0[query.id] ?? []).map(\.text.trimmed) }
            let samples = rows.map(\.count).min() ?? 0
            guard samples > 0, rows.allSatisfy({ $0.count == samples }) else {
                let missing = rows.firstIndex { $0.count < rows.map(\.count).max() ?? 0 } ?? 0
                result.rejected.append(
                    Rejected(
                        id: query.id, reason: .missing, constitution: missing,
                        text: "no response for constitution \(missing)"))
                continue
            }
            let training = try group.training.map {
                try prompts.trainingPrompt(query, $0, chat: chat)
            }
            result.add(rows, samples, group, query, training)
        }
        self = result
    }

    private mutating func add(
        _ rows: [[String]], _ samples: Int, _ group: ConstitutionGroup, _ query: Query,
        _ prompts: [RenderedPrompt]
    ) {
        func reject(_ reason: RolloutRejection, _ constitution: Int, _ text: String) {
            rejected.append(
                Rejected(
                    id: query.id, reason: reason, constitution: constitution,
                    text: text))
        }
        var responses: [Response] = []
        for sample in 0..<samples {
            for (constitution, row) in rows.enumerated() {
                let text = row[sample]
                if text.isEmpty { return reject(.empty, constitution, text) }
                let isTwin = responses.contains {
                    $0.constitution != constitution && $0.content == .text(text)
                }
                if isTwin { return reject(.identical, constitution, text) }
                responses.append(
                    Response(content: .text(text), constitution: constitution, sample: sample))
            }
        }
        queries.append(query)
        groups.append(
            RolloutGroup(
                id: query.id, constitutions: group.constitutions, prompts: prompts,
                responses: responses))
    }
}
