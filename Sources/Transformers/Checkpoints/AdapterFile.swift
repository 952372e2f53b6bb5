import Foundation
import JSON

/// PEFT's `adapter_config.json` of a low-rank adapter.
struct AdapterFile {
    let baseName: String?
    let dropout: Double
    private let keys: ConfigurationKeys
    private let rank: Int
    private let alpha: Double
    private let scaling: AdapterConfiguration.Scaling

    /// Reads the text of the file.
    /// - Parameter name: of the text in errors.
    /// - Throws: `ModelError.badConfiguration`, which names the key.
    init(json: Data, name: String) throws {
        let object: JSON
        do throws(JSON.Problem) {
            object = try JSON.read(json, limits: .init(depth: 64))
        } catch {
            throw ModelError.badConfiguration(file: name, problem: "it is not JSON: \(error)")
        }
        keys = try ConfigurationKeys(object, file: name)
        let kind = try keys.text("peft_type") ?? "LORA"
        guard kind == "LORA" else {
            throw keys.refusal("it is an adapter of kind \(kind); LORA is what works")
        }
        try Self.refuseOtherKinds(object, keys)
        baseName = try keys.text("base_model_name_or_path")
        dropout = try keys.number("lora_dropout", default: 0)
        rank = try keys.count("r", default: 8, atMost: AdapterConfiguration.ranks.upperBound)
        alpha = try keys.positive("lora_alpha", default: 8)
        scaling = try keys.bool("use_rslora", default: false) ? .rankStabilized : .standard
    }

    /// Keys that change nothing here: they describe the file, the training, or how PEFT found its
    /// targets, which the tensors name themselves.
    private static let harmless: Set<String> = [
        "auto_mapping", "base_model_name_or_path", "exclude_modules", "fan_in_fan_out",
        "inference_mode", "layers_pattern", "layers_to_transform", "lora_alpha", "lora_dropout",
        "megatron_core", "peft_type", "peft_version", "qalora_group_size", "r", "rank_pattern",
        "alpha_pattern", "revision", "runtime_config", "target_modules", "task_type", "use_rslora",
        "ephemeral_gpu_offload", "ensure_weight_tying",
    ]

    /// Initializations that leave the base's weights as they are.
    private static let initializations: Set<String> = ["gaussian", "eva", "orthogonal"]

    /// Refuses every key outside `harmless` that is switched on, known or not: it could change
    /// numbers.
    private static func refuseOtherKinds(_ object: JSON, _ keys: ConfigurationKeys) throws {
        for member in object.members ?? [] where !harmless.contains(member.key) {
            switch (member.key, member.value) {
            case (_, .null), (_, .bool(false)): continue
            case (_, .array(let items)) where items.isEmpty: continue
            case (_, .object(let members)) where members.isEmpty: continue
            case ("bias", .string("none")): continue
            case ("init_lora_weights", .bool): continue
            case ("init_lora_weights", .string(let name)) where initializations.contains(name):
                continue
            default:
                throw keys.refusal(
                    "\"\(member.key)\" is \(member.value.compact), which is not supported: a plain "
                        + "low-rank adapter leaves it \(off(member.key))")
            }
        }
    }

    private static func off(_ key: String) -> String {
        switch key {
        case "bias": "\"none\""
        case "init_lora_weights": "true"
        default: "null, false or empty"
        }
    }

    /// The adapter of the projections that the weights' file holds, by name with their ranks.
    func configuration(
        _ ranks: [String: Int], among projections: [ProjectionShape], weights: String
    ) throws -> AdapterConfiguration {
        let rankPattern = try pattern("rank_pattern")
        let alphaPattern = try pattern("alpha_pattern")
        var exceptions: [AdapterConfiguration.Exception] = []
        for (name, found) in ranks.sorted(by: { $0.key < $1.key }) {
            let rank =
                try rankPattern.value(name).map { value in
                    guard let whole = Int(exactly: value), whole >= 1 else {
                        throw keys.refusal("\"rank_pattern\" has the rank \(value)")
                    }
                    return whole
                } ?? rank
            guard rank == found else {
                throw keys.refusal(
                    "it gives \(name) the rank \(rank), and \(weights) has rank \(found)")
            }
            let alpha = alphaPattern.value(name) ?? alpha
            if rank != self.rank || alpha != self.alpha {
                exceptions.append(.init(name: name, rank: rank, alpha: alpha))
            }
        }
        return AdapterConfiguration(
            rank: rank, alpha: alpha, scaling: scaling,
            targets: Self.targets(ranks.keys, among: projections), exceptions: exceptions)
    }

    /// Short names of projections: the last part of the name where all of a kind are meant.
    private static func targets(
        _ names: some Collection<String>, among projections: [ProjectionShape]
    ) -> Set<String> {
        let wanted = Set(names)
        var targets: Set<String> = []
        for (kind, all) in Dictionary(grouping: projections, by: \.kind) {
            let own = all.map(\.name).filter(wanted.contains)
            if own.count == all.count { targets.insert(kind) } else { targets.formUnion(own) }
        }
        return targets
    }

    /// Numbers by the names of projections. PEFT reads the names as regular expressions; files hold
    /// names, in which the dots may be escaped.
    private func pattern(_ key: String) throws -> ProjectionPattern {
        guard let section = keys.value(key) else { return ProjectionPattern(entries: []) }
        guard let members = section.members else {
            throw keys.refusal("\"\(key)\" has a value of the wrong kind")
        }
        return ProjectionPattern(
            entries: try members.map { member in
                var name = member.key.replacingOccurrences(of: "\\.", with: ".")
                if name.hasPrefix("^") { name.removeFirst() }
                if name.hasSuffix("$") { name.removeLast() }
                guard name.allSatisfy({ $0.isLetter || $0.isNumber || "._-".contains($0) }) else {
                    throw keys.refusal(
                        "\"\(key)\" has the regular expression \"\(member.key)\"; names of "
                            + "projections are what works")
                }
                guard let number = member.value.double, number.isFinite, number > 0 else {
                    throw keys.refusal("\"\(key)\" gives \(member.key) no number above zero")
                }
                return (name, number)
            })
    }

    // MARK: - Writing

    /// The file of an adapter. Keys that it leaves out have PEFT's defaults.
    static func json(
        _ adapter: AdapterConfiguration, base: String, isTransposed: Bool
    ) -> JSON {
        func exceptions(_ value: (AdapterConfiguration.Exception) -> JSON) -> JSON {
            .object(adapter.exceptions.map { .init($0.name, value($0)) })
        }
        func number(_ value: Double) -> JSON {
            Int(exactly: value).map { .integer($0) } ?? .double(value)
        }
        return .object([
            .init("alpha_pattern", exceptions { number($0.alpha) }),
            .init("base_model_name_or_path", .string(base)),
            .init("bias", .string("none")),
            .init("fan_in_fan_out", .bool(isTransposed)),
            .init("inference_mode", .bool(true)),
            .init("init_lora_weights", .bool(true)),
            .init("lora_alpha", number(adapter.alpha)),
            .init("lora_dropout", .double(0)),
            .init("peft_type", .string("LORA")),
            .init("r", .integer(adapter.rank)),
            .init("rank_pattern", exceptions { .integer($0.rank) }),
            .init("target_modules", .array(adapter.targets.map { .string($0) })),
            .init("task_type", .string("CAUSAL_LM")),
            .init("use_rslora", .bool(adapter.scaling == .rankStabilized)),
        ])
    }
}

/// Values for projections by name. The first entry whose name is the projection's own, or its last
/// parts, holds.
private struct ProjectionPattern {
    let entries: [(name: String, value: Double)]

    func value(_ projection: String) -> Double? {
        entries.first { AdapterName.names($0.name, projection) }?.value
    }
}
