import Layers
import Tensors

/// A SwiGLU network: y = (silu(x Wgateᵀ) · x Wupᵀ) Wdownᵀ, with optional biases.
struct GatedFeedForward: Sublayer {
    let gate, up, down: Projection
    /// F
    let width: Int

    struct Activations: Sendable {
        let gate, up: Tensor  // (N, F)
    }

    var activationWidth: Int { 2 * width }

    var inputs: [Projection] { [gate, up] }

    func forward(
        _ x: Tensor, _ context: BlockContext, _ weights: ParameterSet, addingTo out: inout Tensor
    ) -> Activations {
        let both = Projection.forward([gate, up], x, weights)
        let (gated, raised) = (both[0], both[1])
        let format = weights.operandFormat(of: [down], rows: x.rows)
        let activated = SwiGLU.forward(gate: gated, up: raised, as: format)
        down.forward(activated, weights, addingTo: &out)
        return Activations(gate: gated, up: raised)
    }

    func backward(
        _ dy: Tensor, _ x: Tensor, _ a: Activations, _ context: BlockContext,
        _ weights: ParameterSet, into gradients: inout ParameterSet
    ) -> Tensor {
        // y = (silu(gate) · up) Wdownᵀ
        var dactivated = Tensor(uninitialized: a.gate.shape)
        down.backwardInput(dy, weights, into: &dactivated)
        let format = weights.operandFormat(of: [gate, up, down], rows: x.rows)
        let swiglu = SwiGLU.backward(dactivated, gate: a.gate, up: a.up, as: format)
        down.backwardParameters(dy, swiglu.y, weights, into: &gradients)
        // gate, up = x Wᵀ
        var dx = Tensor(uninitialized: x.shape)
        Projection.backward(
            [gate, up], [swiglu.dgate, swiglu.dup], x, weights, into: &gradients, input: &dx)
        return dx
    }
}

/// Several SwiGLU networks. A router chooses a few of them for each row; their outputs are weighted
/// by the router's softmax over the chosen networks.
struct SparseExperts: Sublayer {
    struct Expert: Sendable {
        let gate, up, down: Projection
    }
    let router: Projection
    let experts: [Expert]
    let chosen: Int
    /// F of each expert.
    let width: Int

    struct Activations: Sendable {
        let routing: Routing
        let gates, ups: [Tensor]  // of each expert: (its rows, F)
    }

    var activationWidth: Int { chosen * (2 * width + 4) }

    /// Rows are gathered for the experts.
    var inputs: [Projection] { [router] }

    func forward(
        _ x: Tensor, _ context: BlockContext, _ weights: ParameterSet, addingTo out: inout Tensor
    ) -> Activations {
        let routing = Router.forward(router.forward(x, weights), chosen: chosen)
        var (gates, ups): ([Tensor], [Tensor]) = ([], [])
        for (number, expert) in experts.enumerated() {
            let rows = routing.rows(of: number)
            let part = x.gatheringRows(rows)
            // An expert without rows costs nothing: its weights are not even read.
            let isIdle = rows.isEmpty
            let both =
                isIdle ? [] : Projection.forward([expert.gate, expert.up], part, weights)
            let gate = both.first ?? Tensor(zeros: [0, width])
            let up = both.last ?? gate
            gates.append(gate)
            ups.append(up)
            if isIdle { continue }
            let format = weights.operandFormat(of: [expert.down], rows: rows.count)
            let activated = SwiGLU.forward(gate: gate, up: up, as: format)
            var y = expert.down.forward(activated, weights)
            y.scaleRows(by: routing.weights(of: number))
            out.scatterAdd(y, toRows: rows)
        }
        return Activations(routing: routing, gates: gates, ups: ups)
    }

    func backward(
        _ dy: Tensor, _ x: Tensor, _ a: Activations, _ context: BlockContext,
        _ weights: ParameterSet, into gradients: inout ParameterSet
    ) -> Tensor {
        var dx = Tensor(zeros: x.shape)
        var dweights: [[Float]] = []
        for (number, expert) in experts.enumerated() {
            let (rows, shares) = (a.routing.rows(of: number), a.routing.weights(of: number))
            if rows.isEmpty {
                dweights.append([])
                continue
            }
            // y = Σ_experts share · activated Wdownᵀ gives dshare = dy Wdown · activated.
            let part = x.gatheringRows(rows)
            var dpart = dy.gatheringRows(rows)
            let (gate, up) = (a.gates[number], a.ups[number])
            var dactivated = Tensor(uninitialized: gate.shape)
            expert.down.backwardInput(dpart, weights, into: &dactivated)
            var swiglu = SwiGLU.backward(dactivated, gate: gate, up: up)
            dweights.append(dactivated.rowProducts(with: swiglu.y))
            swiglu.dgate.scaleRows(by: shares)
            swiglu.dup.scaleRows(by: shares)
            dpart.scaleRows(by: shares)
            expert.down.backwardParameters(dpart, swiglu.y, weights, into: &gradients)
            // gate, up = x Wᵀ
            Projection.backward(
                [expert.gate, expert.up], [swiglu.dgate, swiglu.dup], part, weights,
                into: &gradients, input: &dpart)
            dx.scatterAdd(dpart, toRows: rows)
        }
        let dlogits = Router.backward(dweights, a.routing, rows: x.rows)
        router.backward(dlogits, x, weights, into: &gradients, input: &dx, accumulate: true)
        return dx
    }
}
