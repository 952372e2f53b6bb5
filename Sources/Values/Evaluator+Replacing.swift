import CommandLanguage

/// Assignments to a part of a value: `rollouts[0][1].response = "…"`.
extension Evaluator {
    /// `rollouts[0][1].response = value`: the value of `rollouts` with that part.
    func replacement(
        of part: Node, with new: Node
    ) throws(LocatedError) -> Value {
        let new = try value(of: new)
        var steps: [PathStep] = []
        var owner = part
        while true {
            switch owner.expression {
            case .field(let inner, let field):
                steps.append(.field(field.name))
                owner = inner
            case .index(let inner, let subscripts):
                steps.append(try step(subscripts, inner))
                owner = inner
            default:
                let whole = try value(of: owner)
                do throws(EvaluationError) {
                    return try whole.replacing(Array(steps.reversed())[...], with: new)
                } catch {
                    throw LocatedError(error: error, span: span(of: error, in: part))
                }
            }
        }
    }

    /// The field that an error is about; the whole part for any other error.
    private func span(of error: EvaluationError, in part: Node) -> SourceSpan {
        guard case .unknownField(let name, _, _, _) = error else { return part.span }
        var node = part
        while true {
            switch node.expression {
            case .field(_, let field) where field.name == name: return field.span
            case .field(let owner, _), .index(let owner, _): node = owner
            default: return part.span
            }
        }
    }

    private func step(_ subscripts: [Subscript], _ owner: Node) throws(LocatedError) -> PathStep {
        var places: [Int] = []
        for case .at(let node) in subscripts {
            let value = try value(of: node)
            if case .text(let key) = value, subscripts.count == 1 { return .key(key) }
            places.append(try integer(value, node, "the place of a part"))
        }
        return .places(places)
    }
}
