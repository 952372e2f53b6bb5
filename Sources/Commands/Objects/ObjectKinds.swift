/// Every object kind, by the kind that a stored object carries.
enum ObjectKinds {
    static let all: [String: any StorableObject.Type] = Dictionary(
        types.map { ($0.kind, $0) }, uniquingKeysWith: { first, _ in first })

    static let types: [any StorableObject.Type] = [
        ModelObject.self, TokenizerObject.self, QueriesObject.self, QueryObject.self,
        PrinciplesObject.self,
        ConstitutionsObject.self, RolloutsObject.self, RolloutObject.self, LogprobsObject.self,
        ScoreMatrixObject.self,
        LossObject.self, GradientsObject.self, OptimizerObject.self, LogObject.self,
        VerdictsObject.self, FunctionObject.self, QueryRolloutsObject.self, NextTokensObject.self,
        ServerObject.self,
    ]
}
