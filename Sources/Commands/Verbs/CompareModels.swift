import CommandLanguage
import Rendering
import Tensors
import Tokenizers
import Transformers
import Values

/// The change of the weights by layer and by kind.
extension CommandTable {
    static func compare(
        _ one: ModelObject, _ two: ModelObject, _ invocation: Invocation
    ) throws -> CommandResult {
        if invocation.has("on") { return try compareTexts(one, two, invocation) }
        let (a, b) = try (one.model.effectiveLayout(), two.model.effectiveLayout())
        guard a == b else {
            let data = Value.record(["equal": .bool(false), "same_shape": .bool(false)])
            return CommandResult(
                value: data,
                Display(
                    StyledText("models of different shapes: \(one.summary); \(two.summary)"),
                    data: data))
        }
        var whole = ParameterDifference()
        var tensors: [(name: String, difference: ParameterDifference)] = []
        var layers = DifferenceGroups()
        var kinds = DifferenceGroups()
        var meter = invocation.meter()
        defer { meter.finish() }
        // Adapters are compared by the weights that they make, one weight at a time.
        for (name, x, y) in zip(one.model.effectiveWeights, two.model.effectiveWeights)
            .lazy.map({ ($0.name, $0.tensor, $1.tensor) })
        {
            meter.update(tensors.count, of: a.entries.count, unit: "tensors")
            if invocation.isInterrupted {
                throw invocation.located(
                    EvaluationError.interrupted("stopped; nothing has changed"))
            }
            let difference = ParameterDifference(x, y)
            let place = WeightPlace(name)
            whole += difference
            layers.add(difference, to: place.layer)
            kinds.add(difference, to: place.kind)
            tensors.append((name, difference))
        }
        let data = Value.record([
            "equal": .bool(whole.norm == 0), "share": .number(whole.share),
            "change": .number(whole.norm), "cosine": .number(whole.cosine),
            "layers": layers.value("layer"), "kinds": kinds.value("kind"),
            "tensors": .list(tensors.map { .record($0.difference.record("name", $0.name)) }),
        ])
        guard whole.norm > 0 else {
            return CommandResult(
                value: data, Display(StyledText("the same weights, every bit"), data: data))
        }
        var document = Document("weights differ by ", .heading)
        document.append(
            NumberText.percent(whole.share, decimals: 3)
                + " of their norm, cosine \(NumberText.significant(whole.cosine, digits: 7))")
        document.line(layers.table("layer"))
        document.line(kinds.table("kind"))
        var most = DifferenceGroups()
        for (name, difference) in tensors.sorted(by: { $0.difference.share > $1.difference.share })
            .prefix(8)
        {
            most.add(difference, to: name)
        }
        document.line(most.table("changed most"))
        return CommandResult(value: data, Display(document, invocation.appearance, data: data))
    }
}

/// Where a model has a tensor, read from its name.
private struct WeightPlace {
    /// "3" for the block of this number; otherwise the name itself.
    let layer: String
    /// The name without the block, its own number among experts, and ".weight".
    let kind: String

    init(_ name: String) {
        var parts = name.split(separator: ".").map(String.init)
        if parts.last == "weight" { parts.removeLast() }
        let number = parts.firstIndex { Int($0) != nil }
        if let number, number > 0, ["layers", "h"].contains(parts[number - 1]) {
            layer = parts[number]
            kind = parts[(number + 1)...].filter { Int($0) == nil }.joined(separator: ".")
        } else {
            layer = parts.joined(separator: ".")
            kind = layer
        }
    }
}

/// Differences by name, in the order in which the names came first.
private struct DifferenceGroups {
    private var groups: [(name: String, difference: ParameterDifference)] = []
    private var places: [String: Int] = [:]

    mutating func add(_ difference: ParameterDifference, to name: String) {
        if let place = places[name] {
            groups[place].difference += difference
        } else {
            places[name] = groups.count
            groups.append((name, difference))
        }
    }

    func table(_ title: String) -> Table {
        var table = Table([
            .init(title, keepsEnds: true), .init("norm of change", isNumeric: true),
            .init("share", isNumeric: true), .init("cosine", isNumeric: true),
            .init("largest", isNumeric: true),
        ])
        table.styles = [0: .name]
        for (name, difference) in groups {
            table.append([
                name, NumberText.significant(difference.norm, digits: 4),
                NumberText.percent(difference.share, decimals: 3),
                NumberText.significant(difference.cosine, digits: 7),
                NumberText.significant(difference.largest, digits: 3),
            ])
        }
        return table
    }

    func value(_ key: String) -> Value {
        .list(groups.map { .record($0.difference.record(key, $0.name)) })
    }
}

extension ParameterDifference {
    fileprivate func record(_ key: String, _ name: String) -> Record {
        [
            key: .text(name), "change": .number(norm), "share": .number(share),
            "cosine": .number(cosine), "largest": .number(largest),
        ]
    }
}
