import Layers

/// Builds a family's layout part by part, in the order of its parameters.
struct LayoutBuilder {
    let configuration: ModelConfiguration
    private(set) var layout = ParameterLayout()
    /// The common beginning of the names of the next parameters.
    private var scope = ""
    /// Where the model uses the next parameters; see `ParameterLayout.Entry.depth`.
    private var depth = -1
    private let rms: RMSNorm

    init(_ configuration: ModelConfiguration) {
        self.configuration = configuration
        rms = RMSNorm(epsilon: Float(configuration.normEpsilon))
    }

    /// The parameters that follow belong to a block.
    mutating func begin(block: Int, _ scope: String) {
        (self.scope, depth) = (scope, block)
    }

    /// The parameters that follow belong to the last norm and the head.
    mutating func beginHead() { (scope, depth) = ("", configuration.layers) }

    /// With adapters, the model's own parameters are frozen.
    mutating func add(
        _ name: String, _ shape: [Int], _ start: InitialValue = .normal
    ) -> Parameter {
        layout.add(
            scope + name, shape, start, depth: depth, isTrainable: configuration.adapter == nil)
    }

    /// A table (rows, D).
    mutating func table(_ name: String, rows: Int) -> Parameter {
        add(name + ".weight", [rows, configuration.hiddenSize])
    }

    /// A linear layer of shape (out, in), or (in, out) if `transposed`, its bias, and its adapter
    /// if the configuration has one for it.
    mutating func projection(
        _ name: String, from inputs: Int, to outputs: Int, bias: Bool = false,
        residual: Bool = false, transposed: Bool = false, isAdaptable: Bool = true
    ) -> Projection {
        let shape = transposed ? [inputs, outputs] : [outputs, inputs]
        let weight = add(name + ".weight", shape, residual ? .residual : .normal)
        let bias = bias ? add(name + ".bias", [outputs], .zeros) : nil
        if isAdaptable {
            layout.add(ProjectionShape(name: scope + name, inputs: inputs, outputs: outputs))
        }
        let adapter = isAdaptable ? adapter(scope + name, from: inputs, to: outputs) : nil
        if let adapter {
            layout.add(.init(weight: weight, isTransposed: transposed, adapter: adapter))
        }
        return Projection(
            weight: weight, bias: bias, isTransposed: transposed, adapter: adapter, width: outputs)
    }

    private mutating func adapter(
        _ name: String, from inputs: Int, to outputs: Int
    ) -> Adapter? {
        guard let wanted = configuration.adapter, wanted.includes(name) else { return nil }
        let rank = wanted.rank(of: name)
        func add(_ part: String, _ shape: [Int], _ start: InitialValue) -> Parameter {
            layout.add(name + part, shape, start, depth: depth, isTrainable: true)
        }
        let a = add(AdapterName.a, [rank, inputs], .fanIn)
        let b = add(AdapterName.b, [outputs, rank], .zeros)
        return Adapter(a: a, b: b, scale: Float(wanted.scale(of: name)))
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
        beginHead()
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
