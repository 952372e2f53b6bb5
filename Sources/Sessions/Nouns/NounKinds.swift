/// Every noun by the kind that a stored object carries.
enum NounKinds {
    static let all: [String: any StoredNoun.Type] = Dictionary(
        types.map { ($0.kind, $0) }, uniquingKeysWith: { first, _ in first })

    static let types: [any StoredNoun.Type] = [
        ModelNoun.self, TokenizerNoun.self, QueriesNoun.self, QueryNoun.self, PrinciplesNoun.self,
        ConstitutionsNoun.self, RolloutsNoun.self, RolloutNoun.self, LogprobsNoun.self,
        LossNoun.self, GradientsNoun.self, OptimizerNoun.self, LogNoun.self, VerdictsNoun.self,
    ]
}
