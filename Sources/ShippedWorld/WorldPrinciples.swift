import Alignment
import TextModels
import Worlds

extension World {
    /// One pair for each dimension, in one wording, so that no constitution asks for the same thing
    /// twice. If the wordings for posts and questions differ, there is a pair for each.
    ///
    /// - Parameter kind: the queries that the wording is for; nil for both kinds.
    package func principlePairs(
        about kind: QueryKind?, _ isWanted: (Dimension) -> Bool
    ) -> [PrinciplePair] {
        var pairs: [PrinciplePair] = []
        for (place, dimension) in dimensions.filter(isWanted).enumerated() {
            func pair(_ kind: QueryKind, _ form: QueryForm) -> PrinciplePair {
                PrinciplePair(
                    principle: dimension.wording(place, polarity: true, kind: kind),
                    antithesis: dimension.wording(place, polarity: false, kind: kind), form: form)
            }
            let (posts, questions) = (pair(.summary, .post), pair(.answer, .question))
            switch kind {
            case .summary: pairs.append(posts)
            case .answer: pairs.append(questions)
            case nil:
                if posts.principle == questions.principle, posts.antithesis == questions.antithesis
                {
                    pairs.append(
                        PrinciplePair(principle: posts.principle, antithesis: posts.antithesis))
                } else {
                    pairs += [posts, questions]
                }
            }
        }
        return pairs
    }
}
