import Alignment
import Foundation
import HDF5Objects
import Optimizers
import Rendering
import Tensors
import Tokenizers
import Transformers
import Values

/// The optimizer's state between `update`s.
struct OptimizerObject: StorableObject, SizedObject {
    static let kind = "optimizer"

    var state: OptimizerState
    /// The name of its rule.
    var rule: String
    var configuration: ModelConfiguration

    var bytes: Int { state.bytes }

    static let fields: [Field<OptimizerObject>] = [
        Field("rule", "rmsprop or adamw") { .text($0.rule) },
        Field("steps", "number of steps so far") { Value($0.state.steps) },
        Field("squares", "running mean of squared gradients") { $0.moment("squares") },
        Field("means", "running mean of gradients; only AdamW has it") { $0.moment("means") },
    ]

    private func moment(_ name: String) -> Value {
        state.moments[name].map { .record($0.record) } ?? .null
    }

    var summary: String { "\(rule) after \(NumberText.count(state.steps, "step"))" }

    func document(_ appearance: Appearance) -> Document { Document("optimizer: " + summary) }

    func display(_ appearance: Appearance) -> Display { textDisplay(appearance) }

    var jsonValue: Value { .record(["rule": .text(rule), "steps": Value(state.steps)]) }

    func stored() throws -> StoredValue {
        .record(
            StoredRecord(
                [("rule", .text(rule))] + (try configuration.storedFields())
                    + (try OptimizerStorage.fields(state))))
    }

    static func restored(_ value: StoredValue) throws -> OptimizerObject {
        guard let rule = value["rule"]?.textValue, OptimizerRule.named(rule) != nil,
            let configuration = try ModelConfiguration(storedFields: value, kind: kind)
        else { throw StorageError(kind: kind, problem: "a part of it is missing") }
        return OptimizerObject(
            state: try OptimizerStorage.restored(value, try configuration.parameterLayout()),
            rule: rule, configuration: configuration)
    }
}
