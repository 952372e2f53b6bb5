import Alignment
import Rendering
import Values

/// An object that is a table for other programs: one row an item, with the ids of its query and
/// constitution. `export` writes it to .csv and .jsonl.
protocol TabularObject: SessionObject {
    var rows: [Record] { get }
}

extension LogObject: TabularObject {}

extension LossObject: TabularObject {
    /// One row a query.
    var rows: [Record] { contrasts.indices.compactMap { item($0).asRecord } }
}

extension VerdictsObject: TabularObject {
    /// One row a comparison; `first` and `second` are the two responses.
    var rows: [Record] {
        verdicts.comparisons.map { comparison in
            let scores = comparison.scores
            let malformed = comparison.malformed ?? []
            func side<Item>(_ items: [Item], _ index: Int, _ value: (Item) -> Value) -> Value {
                items.indices.contains(index) ? value(items[index]) : .null
            }
            return [
                "query": .text(comparison.pair.id.text),
                "constitution": .text(comparison.pair.constitution.text),
                "first": .text(comparison.pair.first), "second": .text(comparison.pair.second),
                "judgement": Value(comparison.judgement?.rawValue),
                "left_out": Value(comparison.exclusion?.rawValue),
                "first_score": side(scores, 0, Value.number),
                "second_score": side(scores, 1, Value.number),
                "first_malformed": side(malformed, 0, Value.bool),
                "second_malformed": side(malformed, 1, Value.bool),
            ]
        }
    }
}

extension LogprobsObject: TabularObject {
    /// One row for each response under each constitution.
    var rows: [Record] {
        scores.flatMap { query in
            places(query).map { constitution, response in
                var row: Record = [
                    "query": .text(query.id.text), "constitution": Value(constitution),
                    "response": Value(response),
                    "logprob": .number(query.scores.values[place(query, constitution, response)]),
                ]
                let place = place(query, constitution, response)
                if query.lengths.indices.contains(place) {
                    row["tokens"] = Value(query.lengths[place])
                }
                return row
            }
        }
    }

    /// One row for each token of each response under each constitution, if `per_token=true` kept
    /// them.
    var tokenRows: [Record] {
        scores.flatMap { query in
            places(query).flatMap { constitution, response -> [Record] in
                guard let logProbs = query.tokenLogProbs(constitution, response) else { return [] }
                let place = place(query, constitution, response)
                let tokens = query.tokens.indices.contains(place) ? query.tokens[place] : []
                return logProbs.indices.map { position in
                    [
                        "query": .text(query.id.text), "constitution": Value(constitution),
                        "response": Value(response), "position": Value(position),
                        "id": tokens.indices.contains(position)
                            ? Value(Int(tokens[position])) : .null,
                        "token": tokens.indices.contains(position)
                            ? .text(text(of: tokens[position])) : .null,
                        "logprob": .number(Double("\(logProbs[position])") ?? .nan),
                    ]
                }
            }
        }
    }

    private func places(_ query: QueryScores) -> [(constitution: Int, response: Int)] {
        (0..<query.scores.constitutions).flatMap { constitution in
            (0..<query.scores.responses).map { (constitution, $0) }
        }
    }

    private func place(_ query: QueryScores, _ constitution: Int, _ response: Int) -> Int {
        constitution * query.scores.responses + response
    }
}

extension Value {
    fileprivate var asRecord: Record? {
        if case .record(let record) = self { return record }
        return nil
    }
}
