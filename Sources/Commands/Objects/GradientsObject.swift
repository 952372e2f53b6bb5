import Alignment
import Foundation
import HDF5Objects
import Rendering
import Tensors
import Tokenizers
import Transformers
import Values

/// Gradients of the mean loss: one tensor for each parameter.
struct GradientsObject: StorableObject, SizedObject {
    static let kind = "gradients"

    var parameters: ParameterSet
    /// The shape of their model.
    var configuration: ModelConfiguration
    var norm: Double
    /// The mean loss whose derivative they are, in nats, without the penalty.
    var loss: Double
    var queries: Int
    /// Mean KL(model ‖ base) in nats a token; nil without a penalty.
    var divergence: Double?
    /// The objective, the weight of the penalty, and the score settings: the data needed to compute
    /// the gradients again. Older workspaces have no objective.
    var objective = Objective.contrast
    var beta = 0.0
    var score = ScoreSettings()
    /// The model that they were computed on; nil in older workspaces.
    var source: ModelReference?

    var bytes: Int { parameters.count * 4 }

    static let fields: [Field<GradientsObject>] = [
        Field("norm", "root of the sum of squares over all tensors") { .number($0.norm) },
        Field("loss", "the loss whose derivative they are, in nats") { .number($0.loss) },
        Field("queries", "number of queries in the mean") { Value($0.queries) },
        Field("objective", "what `loss` is: contrast, rows, columns or likelihood") {
            .text($0.objective.rawValue)
        },
        Field("beta", "weight of the KL penalty") { .number($0.beta) },
        Field("divergence", "mean KL to the base in nats a token; null without a penalty") {
            Value($0.divergence)
        },
        Field("names", "the names of the tensors") { Value($0.parameters.names) },
        Field("tensors", "the tensors by name") { .record($0.tensorRecord) },
        Field("norms", "the norm of each tensor") { object in
            var record = Record()
            for (name, norm) in object.norms { record[name] = .number(norm) }
            return .record(record)
        },
    ]

    var tensorRecord: Record { parameters.record }

    private var norms: [(String, Double)] {
        zip(parameters.names, parameters.tensors).map { name, tensor in
            let squares = tensor.withUnsafeBufferPointer { values in
                values.reduce(0.0) { $0 + Double($1) * Double($1) }
            }
            return (name, squares.squareRoot())
        }
    }

    var summary: String {
        "norm \(NumberText.significant(norm, digits: 4)), "
            + NumberText.count(parameters.names.count, "tensor")
    }

    func document(_ appearance: Appearance) -> Document {
        var document = Document("gradients: ", .heading)
        document.append("norm \(NumberText.significant(norm, digits: 5))")
        document.append(
            ", \(NumberText.count(parameters.names.count, "tensor")), mean over "
                + NumberText.count(queries, "query", "queries"), .faint)
        if let divergence {
            document.append(
                ", KL to the base \(NumberText.significant(divergence, digits: 4)) nats a token",
                .faint)
        }
        var table = Table([.init("largest"), .init("shape"), .init("norm", isNumeric: true)])
        let shapes = Dictionary(
            zip(parameters.names, parameters.tensors.map(\.shape)), uniquingKeysWith: { a, _ in a })
        for (name, norm) in norms.sorted(by: { $0.1 > $1.1 }).prefix(5) {
            table.append([
                name, TensorText.shape(shapes[name] ?? []), NumberText.significant(norm, digits: 4),
            ])
        }
        document.line(table)
        return document
    }

    var jsonValue: Value { .record(tensorRecord) }

    func stored() throws -> StoredValue {
        .record(
            StoredRecord(
                try configuration.storedFields() + [
                    ("norm", .number(norm)), ("loss", .number(loss)),
                    ("queries", .number(Double(queries))),
                    ("divergence", divergence.map { .number($0) } ?? .null),
                    ("objective", .text(objective.rawValue)),
                    ("beta", .number(beta)), ("score", try StoredValue(encoding: score)),
                    ("source", try source.map { try StoredValue(encoding: $0) } ?? .null),
                    ("tensors", try parameters.stored()),
                ]))
    }

    static func restored(_ value: StoredValue) throws -> GradientsObject {
        guard let configuration = try ModelConfiguration(storedFields: value, kind: kind),
            let tensors = value["tensors"], let norm = value["norm"]?.numberValue,
            let loss = value["loss"]?.numberValue,
            let queries = value["queries"]?.intValue, let score = value["score"]
        else { throw StorageError(kind: kind, problem: "a part of it is missing") }
        return GradientsObject(
            parameters: try ParameterSet(configuration.parameterLayout(), stored: tensors),
            configuration: configuration, norm: norm, loss: loss, queries: queries,
            divergence: value["divergence"]?.numberValue,
            objective: value["objective"]?.textValue.flatMap(Objective.init) ?? .contrast,
            beta: value["beta"]?.numberValue ?? 0,
            score: try score.restored(ScoreSettings.self, kind: kind),
            source: try value["source"].flatMap { stored in
                stored == .null
                    ? nil
                    : try stored.restored(ModelReference.self, kind: kind)
            })
    }
}
