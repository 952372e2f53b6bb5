import Alignment
import HDF5Objects
import Rendering
import Tensors
import Values

/// S of one query: `logprobs[0]`. It computes as a tensor of shape (constitutions, responses) does,
/// and keeps the name of its query and its unit.
struct ScoreMatrixObject: StorableObject, TensorObject {
    static let kind = "S"
    static let main: String? = "logprobs"

    /// Scores of one query.
    var logprobs: LogprobsObject

    init?(_ logprobs: LogprobsObject) {
        guard logprobs.scores.count == 1 else { return nil }
        self.logprobs = logprobs
    }

    private var query: QueryScores { logprobs.scores[0] }

    var tensor: Tensor? { LogprobsObject.matrix(query.scores) }

    static let fields: [Field<ScoreMatrixObject>] =
        [
            Field("query", "the id of the query") { .text($0.query.id.text) },
            Field("normalize", "mean: nats a token; sum: nats a response") {
                .text($0.logprobs.settings.normalize.rawValue)
            },
        ]
        + TensorField.all.map { field in
            Field(field.name, field.summary) { $0.tensor.map(field.value) ?? .null }
        }

    /// A row for each constitution.
    var count: Int? { query.scores.constitutions }

    func item(_ index: Int) -> Value {
        let width = query.scores.responses
        let row = query.scores.values[index * width..<(index + 1) * width]
        return .tensor(Tensor(row.map { Float($0) }, shape: [width]))
    }

    var summary: String {
        "S (\(query.scores.constitutions), \(query.scores.responses)) of \(query.id), "
            + logprobs.unit
    }

    func document(_ appearance: Appearance) -> Document {
        var document = Document("S of \(query.id)", .heading)
        document.append(", \(logprobs.unit)", .faint)
        document.line(logprobs.heatMap(of: 0))
        document.line(LogprobsObject.legend, .faint)
        return document
    }

    var jsonValue: Value { tensor.map(Value.tensor) ?? .null }

    func stored() throws -> StoredValue {
        guard case .record(var record) = try logprobs.stored(), let tensor else { return .null }
        record["logprobs"] = .array(try StoredArray(tensor))
        return .record(record)
    }

    static func restored(_ value: StoredValue) throws -> ScoreMatrixObject {
        guard let object = ScoreMatrixObject(try LogprobsObject.restored(value)) else {
            throw StorageError(kind: kind, problem: "it is not of one query")
        }
        return object
    }
}
