import Tensors

/// A rule with its settings.
public struct Optimizer: Sendable {
    public let rule: OptimizerRule
    /// By name; a setting that the rule does not have is not here.
    public private(set) var settings: [String: Double]

    /// A rule with its initial settings, some of them changed. Names that the rule does not have
    /// are ignored, so that a caller can offer the settings of all rules.
    public init(_ rule: OptimizerRule, _ changes: [String: Double] = [:]) {
        self.rule = rule
        settings = Dictionary(uniqueKeysWithValues: rule.settings.map { ($0.name, $0.initial) })
        for (name, value) in changes { self[name] = value }
    }

    /// A setting; nil if the rule has no such setting. Setting one that it does not have does
    /// nothing.
    public subscript(name: String) -> Double? {
        get { settings[name] }
        set { if settings[name] != nil, let newValue { settings[name] = newValue } }
    }

    /// The first setting out of its range, with its range in words.
    public var fault: (name: String, value: Double, allowed: String)? {
        for setting in rule.settings {
            let value = settings[setting.name] ?? setting.initial
            if !setting.isAllowed(value) { return (setting.name, value, setting.allowed) }
        }
        return nil
    }

    /// What the rule multiplies the learning rate of step `step` with; steps are counted from 1.
    public func rateFactor(step: Int) -> Double { rule.rateFactor(step, settings) }

    /// One step of one tensor, in place: float32, for a gradient of the same shape.
    public func step(
        _ parameter: inout Tensor, _ gradient: Tensor, _ moments: inout [Tensor], number: Int,
        learningRate: Float
    ) {
        require(
            parameter.shape == gradient.shape && moments.count == rule.moments.count
                && moments.allSatisfy { $0.shape == gradient.shape },
            "step of \(parameter.shape) by \(gradient.shape) with moments \(moments.map(\.shape))")
        rule.apply(
            &parameter, gradient, &moments,
            OptimizerRule.Step(number: number, learningRate: learningRate, settings: settings))
    }
}

extension Optimizer: Hashable {
    public static func == (left: Optimizer, right: Optimizer) -> Bool {
        left.rule.name == right.rule.name && left.settings == right.settings
    }

    public func hash(into hasher: inout Hasher) {
        hasher.combine(rule.name)
        hasher.combine(settings)
    }
}

extension Optimizer: Codable {
    private struct Key: CodingKey {
        let stringValue: String
        var intValue: Int? { nil }
        init(stringValue: String) { self.stringValue = stringValue }
        init?(intValue: Int) { nil }
    }

    public init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: Key.self)
        let name = try container.decode(String.self, forKey: Key(stringValue: "rule"))
        guard let rule = OptimizerRule.named(name) else {
            throw DecodingError.dataCorruptedError(
                forKey: Key(stringValue: "rule"), in: container,
                debugDescription: "\"\(name)\" is not an optimizer")
        }
        self.init(rule)
        for setting in rule.settings {
            self[setting.name] = try container.decodeIfPresent(
                Double.self, forKey: Key(stringValue: setting.name))
        }
    }

    public func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: Key.self)
        try container.encode(rule.name, forKey: Key(stringValue: "rule"))
        for (name, value) in settings.sorted(by: { $0.key < $1.key }) {
            try container.encode(value, forKey: Key(stringValue: name))
        }
    }
}
