import Rendering
import Transformers
import Values

/// The adapters of a model, for people and for programs.
extension LanguageModel {
    /// The number of parameters that train.
    private var trainableCount: Int { parameters.layout.trainableCount }

    /// "rank 16, alpha 32; 4,884,480 parameters train, 19.5 MB" and
    /// "210 matrices: down_proj, gate_proj"; nil for a model without adapters.
    var adapterSummary: (size: String, places: String)? {
        guard let adapter = configuration.adapter,
            let adapted = try? configuration.projections().filter({ adapter.includes($0.name) })
        else { return nil }
        let names = Set(adapted.map(\.kind)).sorted().joined(separator: ", ")
        let others = adapter.exceptions.count
        let size =
            "rank \(adapter.rank), alpha \(NumberText.significant(adapter.alpha, digits: 6))"
            + (adapter.scaling == .rankStabilized ? ", rank-stabilized" : "")
            + (others == 0 ? "" : ", \(NumberText.count(others, "matrix", "matrices")) otherwise")
            + "; \(NumberText.grouped(trainableCount)) parameters train, "
            + NumberText.bytes(parameters.trainable.bytes)
        return (size, "\(NumberText.count(adapted.count, "matrix", "matrices")): \(names)")
    }

    /// The same in one line.
    var adapterWords: String? { adapterSummary.map { "\($0.size), on \($0.places)" } }

    var adapterValue: Value {
        guard let adapter = configuration.adapter else { return .null }
        return .record([
            "rank": Value(adapter.rank), "alpha": .number(adapter.alpha),
            "rslora": .bool(adapter.scaling == .rankStabilized),
            "on": .list(adapter.targets.map { .text($0) }),
            "parameters": Value(trainableCount),
        ])
    }
}
