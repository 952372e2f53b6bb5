import Layers

/// Builds a family's layout part by part, in the order of its parameters.
struct LayoutBuilder {
    let configuration: ModelConfiguration
    private(set) var layout = ParameterLayout()
    /// The common beginning of the names of the next parameters.
    var scope = ""
    private let rms: RMSNorm

    init(_ configuration: ModelConfiguration) {
        self.configuration = configuration
        rms = RMSNorm(epsilon: Float(configuration.normEpsilon))
    }

    mutating func add(
        _ name: String, _ shape: [Int], _ start: InitialValue = .normal
    ) -> Parameter {
        layout.add(scope + name, shape, start)
    }

    /// A table (rows, D).
    mutating func table(_ name: String, rows: Int) -> Parameter {
        add(name + ".weight", [rows, configuration.hiddenSize])
    }

    /// A linear layer of shape (out, in), and its bias.
    mutating func projection(
        _ name: String, from inputs: Int, to outputs: Int, bias: Bool = false,
        residual: Bool = false
    ) -> Projection {
        Projection(
            weight: add(name + ".weight", [outputs, inputs], residual ? .residual : .normal),
            bias: bias ? add(name + ".bias", [outputs], .zeros) : nil)
    }

    mutating func rmsNorm(_ name: String) -> Norm {
        let width = configuration.hiddenSize
        return .rms(rms, weight: add(name + ".weight", [width], .ones), width: width)
    }

    mutating func layerNorm(_ name: String) -> Norm {
        let width = configuration.hiddenSize
        return .layer(
            LayerNorm(epsilon: Float(configuration.normEpsilon)),
            weight: add(name + ".weight", [width], .ones),
            bias: add(name + ".bias", [width], .zeros), width: width)
    }

    /// Attention with the names that all rotary families use.
    mutating func rotaryAttention(
        block: Int, _ rotary: RotaryTables, bias: Bool = false, outputBias: Bool = false,
        headNorms: Bool = false
    ) -> RotaryAttention {
        let c = configuration
        let (queries, keys) = (c.heads * c.headSize, c.keyValueHeads * c.headSize)
        let query = projection("self_attn.q_proj", from: c.hiddenSize, to: queries, bias: bias)
        let key = projection("self_attn.k_proj", from: c.hiddenSize, to: keys, bias: bias)
        let value = projection("self_attn.v_proj", from: c.hiddenSize, to: keys, bias: bias)
        let output = projection(
            "self_attn.o_proj", from: queries, to: c.hiddenSize, bias: outputBias, residual: true)
        var norms: (query: Parameter, key: Parameter)?
        if headNorms {
            norms = (
                add("self_attn.q_norm.weight", [c.headSize], .ones),
                add("self_attn.k_norm.weight", [c.headSize], .ones)
            )
        }
        return RotaryAttention(
            block: block, query: query, key: key, value: value, output: output, headNorms: norms,
            window: c.window(layer: block), norm: rms,
            attention: Attention(heads: c.heads, keyHeads: c.keyValueHeads, size: c.headSize),
            rotary: rotary)
    }

    /// A SwiGLU network with the names that all dense rotary families use.
    mutating func gatedFeedForward(bias: Bool = false) -> GatedFeedForward {
        let (d, f) = (configuration.hiddenSize, configuration.feedForwardSize)
        return GatedFeedForward(
            gate: projection("mlp.gate_proj", from: d, to: f, bias: bias),
            up: projection("mlp.up_proj", from: d, to: f, bias: bias),
            down: projection("mlp.down_proj", from: f, to: d, bias: bias, residual: true),
            width: f)
    }

    /// The last norm and the head. The head may be the embedding's own matrix.
    mutating func finalNormAndHead(_ embedding: TokenEmbedding) -> (norm: Norm, head: Parameter) {
        scope = ""
        let norm = rmsNorm("model.norm")
        let head =
            configuration.tiedHead
            ? embedding.table : table("lm_head", rows: configuration.vocabularySize)
        return (norm, head)
    }
}

extension RotaryTables {
    convenience init(_ c: ModelConfiguration) {
        self.init(
            RotaryFrequencies(
                theta: c.ropeTheta, headSize: c.headSize, scaling: c.ropeScaling,
                originalContext: c.contextLength, isRounded: c.roundsRotary))
    }
}
