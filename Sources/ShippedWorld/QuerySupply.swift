import Alignment
import TextModels
import Worlds

/// Gives each iteration queries that no earlier iteration has used.
package enum QuerySupply: Sendable {
    /// A list, taken in order, `count` queries for each iteration.
    case list([Alignment.Query], count: Int)
    /// The endless supply of the shipped world.
    case world(seed: UInt64, kinds: [QueryKind], count: Int)

    /// - Parameter iteration: from 1.
    package func queries(_ iteration: Int) -> [Alignment.Query] {
        switch self {
        case .list(let list, let count):
            return Array(list.dropFirst((iteration - 1) * count).prefix(count))
        case .world(let seed, let kinds, let count):
            let first = (iteration - 1) * count
            // `load queries` starts at 0; these queries must differ from those.
            return (first..<first + count).map { index in
                Alignment.Query(
                    World.everyday.query(
                        kind: kinds[index % kinds.count], split: .train, index: 1_000_000 + index,
                        seed: seed))
            }
        }
    }

    /// The kinds that fit the principles, in the proportion of the world's documents: two posts for
    /// each question.
    package static func kinds(fitting sources: [ConstitutionSource]) -> [QueryKind] {
        var forms: Set<QueryForm> = []
        for case .pairs(let pairs) in sources {
            for pair in pairs { forms.formUnion(pair.form.map { [$0] } ?? QueryForm.allCases) }
        }
        let kinds = [QueryKind.summary, .summary, .answer].filter {
            forms.contains($0 == .answer ? .question : .post)
        }
        return kinds.isEmpty ? [.summary, .summary, .answer] : kinds
    }
}
