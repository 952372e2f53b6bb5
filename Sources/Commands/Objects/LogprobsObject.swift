import Alignment
import HDF5Objects
import Rendering
import Tensors
import Tokenizers
import Values

/// S for every query: the log-prob of each response under each constitution, in nats.
struct LogprobsObject: StorableObject, ListObject, TensorObject {
    static let kind = "logprobs"
    static let main: String? = "logprobs"

    var scores: [QueryScores]
    var settings: ScoreSettings
    /// The texts of the tokens that occur, if `per_token=true` kept them and there was a tokenizer.
    var texts: [Int32: String] = [:]

    init(scores: [QueryScores], settings: ScoreSettings, texts: [Int32: String] = [:]) {
        self.scores = scores
        self.settings = settings
        self.texts = texts
    }

    /// The text of a scored token, or its id.
    func text(of token: Int32) -> String { texts[token] ?? "\(token)" }

    /// Shape (queries, C, R); nil if queries differ in C or R.
    var tensor: Tensor? {
        guard let first = scores.first?.scores,
            scores.allSatisfy({
                $0.scores.constitutions == first.constitutions
                    && $0.scores.responses == first.responses
            })
        else { return nil }
        return Tensor(
            scores.flatMap { $0.scores.values.map { Float($0) } },
            shape: [scores.count, first.constitutions, first.responses])
    }

    static func matrix(_ scores: ScoreMatrix) -> Tensor {
        Tensor(scores.values.map { Float($0) }, shape: [scores.constitutions, scores.responses])
    }

    static let fields: [Field<LogprobsObject>] = [
        Field("shape", "queries, constitutions, responses") { object in
            Value(object.tensor?.shape ?? [object.scores.count])
        },
        Field("count", "number of queries") { Value($0.scores.count) },
        Field("ids", "the queries") { Value($0.scores.map(\.id.text)) },
        Field("normalize", "mean: nats a token; sum: nats a response") {
            .text($0.settings.normalize.rawValue)
        },
        Field("lengths", "scored tokens of every response under every constitution") { object in
            .list(object.scores.map { Value($0.lengths) })
        },
        Field("tokens", "log-probs of every token, if `per_token=true` kept them") { object in
            .list(
                object.scores.map { scores in
                    .list(scores.tokenLogProbs.map { .tensor(Tensor($0, shape: [$0.count])) })
                })
        },
        Field("per_token", "a record for each token, if `per_token=true` kept them") { object in
            .list(object.tokenRows.map(Value.record))
        },
        Field("token_texts", "the texts of these tokens") { object in
            .list(
                object.scores.map { scores in
                    .list(scores.tokens.map { Value($0.map(object.text)) })
                })
        },
        Field("mean", "mean of all scores") { object in
            let values = object.scores.flatMap(\.scores.values)
            return values.isEmpty ? .null : .number(values.reduce(0, +) / Double(values.count))
        },
    ]

    var count: Int? { scores.count }

    var itemIDs: [String]? { scores.map(\.id.text) }

    func item(_ index: Int) -> Value {
        let one = LogprobsObject(scores: [scores[index]], settings: settings, texts: texts)
        return ScoreMatrixObject(one).map { .object($0) } ?? .null
    }

    func selecting(_ indices: [Int]) -> Value {
        .object(
            LogprobsObject(scores: indices.map { scores[$0] }, settings: settings, texts: texts))
    }

    static let typedItem: String? = nil

    /// Also accepts a matrix or a stack of matrices, so that a user can contrast typed numbers.
    init?(wrapping value: Value) {
        if let matrix = value.object(ScoreMatrixObject.self) {
            self = matrix.logprobs
            return
        }
        guard let tensor = value.asTensor, (2...3).contains(tensor.shape.count) else { return nil }
        let shape = tensor.shape.count == 2 ? [1] + tensor.shape : tensor.shape
        let values = tensor.values
        let size = shape[1] * shape[2]
        var scores: [QueryScores] = []
        for index in 0..<shape[0] {
            guard
                let matrix = try? ScoreMatrix(
                    constitutions: shape[1], responses: shape[2],
                    values: values[index * size..<(index + 1) * size].map { Double($0) })
            else { return nil }
            scores.append(QueryScores(id: "\(index)", scores: matrix))
        }
        self.init(scores: scores, settings: ScoreSettings())
    }

    /// S of one query as a map, with its names and its unit.
    func heatMap(of index: Int) -> HeatMap {
        let scores = self.scores[index].scores
        var map = HeatMap(
            rows: scores.constitutions, columns: scores.responses, values: scores.values)
        (map.rowName, map.columnName) = ("constitution", "response")
        (map.title, map.unit) = (self.scores[index].id.text, unit)
        return map
    }

    var unit: String { settings.normalize == .mean ? "nats a token" : "nats a response" }

    var summary: String {
        let shape = tensor.map { TensorText.shape($0.shape) } ?? "\(scores.count) of several shapes"
        return "S \(shape), \(unit)"
    }

    func document(_ appearance: Appearance) -> Document {
        var document = document(count: 2)
        if scores.count > 2 {
            document.line(
                "… and \(NumberText.count(scores.count - 2, "more query", "more queries"))", .faint)
        }
        document.line(LogprobsObject.legend, .faint)
        return document
    }

    static let legend =
        "c: constitution, y: response; marked: a response under its own constitution"

    /// - Parameter shown: how many of the first queries are shown.
    func document(count shown: Int) -> Document {
        var document = Document("logprobs ", .heading)
        document.append(summary)
        for (index, query) in scores.prefix(shown).enumerated() {
            document.line("[\(index)] \(query.id)", .name)
            document.line(heatMap(of: index))
        }
        return document
    }

    var jsonValue: Value {
        tensor.map(Value.tensor)
            ?? .list(scores.map { .tensor(LogprobsObject.matrix($0.scores)) })
    }

    func stored() throws -> StoredValue {
        var light = scores
        for index in light.indices {
            light[index].tokenLogProbs = []
            light[index].tokens = []
        }
        var record = StoredRecord([
            ("settings", try StoredValue(encoding: settings)),
            ("queries", try StoredValue(encoding: light)),
        ])
        // The whole of S as one array, for users who open the workspace with other programs.
        if let tensor { record["logprobs"] = .array(try StoredArray(tensor)) }
        let flat = scores.flatMap { $0.tokenLogProbs.joined() }
        if !flat.isEmpty {
            record["token_logprobs"] = .array(try StoredArray(flat, shape: [flat.count]))
            record["tokens"] = .array(
                try StoredArray(scores.flatMap { $0.tokens.joined() }, shape: [flat.count]))
            let vocabulary = texts.sorted { $0.key < $1.key }
            record["vocabulary_ids"] = .list(vocabulary.map { .number(Double($0.key)) })
            record["vocabulary_texts"] = .list(vocabulary.map { .text($0.value) })
        }
        return .record(record)
    }

    static func restored(_ value: StoredValue) throws -> LogprobsObject {
        guard let settings = value["settings"], let queries = value["queries"] else {
            throw StorageError(kind: kind, problem: "a part of it is missing")
        }
        var scores = try queries.restored([QueryScores].self, kind: kind)
        if let logProbs = try value["token_logprobs"]?.arrayValue?.values(as: Float.self),
            let tokens = try value["tokens"]?.arrayValue?.values(as: Int32.self)
        {
            var position = 0
            for index in scores.indices {
                for length in scores[index].lengths {
                    let left = min(logProbs.count, tokens.count) - position
                    guard length >= 0, length <= left else {
                        throw StorageError(kind: kind, problem: "some of its tokens are missing")
                    }
                    let range = position..<(position + length)
                    scores[index].tokenLogProbs.append(Array(logProbs[range]))
                    scores[index].tokens.append(Array(tokens[range]))
                    position += length
                }
            }
        }
        for score in scores {
            let counts = [score.tokens.map(\.count), score.tokenLogProbs.map(\.count)]
            guard counts[0] == counts[1] else {
                throw StorageError(kind: kind, problem: "some of its tokens have no log-prob")
            }
        }
        // Older versions kept no texts.
        let ids = (value["vocabulary_ids"]?.listValue ?? []).compactMap(\.numberValue)
            .compactMap(Int32.init(exactly:))
        let texts = (value["vocabulary_texts"]?.listValue ?? []).compactMap(\.textValue)
        return LogprobsObject(
            scores: scores, settings: try settings.restored(ScoreSettings.self, kind: kind),
            texts: Dictionary(zip(ids, texts), uniquingKeysWith: { first, _ in first }))
    }
}
