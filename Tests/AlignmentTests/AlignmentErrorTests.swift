import Testing

@testable import Alignment

@Suite struct AlignmentErrorTests {
    static let sentences: [(AlignmentError, String)] = [
        (
            .queryFields(query: "17", given: ["body", "title"]),
            "Query 17 must have one of \"post\", \"question\" and \"text\"; it has \"body\", \"title\"."
        ),
        (
            .queryFields(query: "17", given: []),
            "Query 17 must have one of \"post\", \"question\" and \"text\"; it has no field."
        ),
        (.noPrinciples(form: .question), "No principle is meant for a query that is a question."),
        (
            .constitutionCount(asked: 5, distinct: 4, principles: 2),
            "5 constitutions were asked for, but 2 principles and their antitheses make at most 4 different ones."
        ),
        (
            .constitutionCount(asked: 3, distinct: 2, principles: nil),
            "3 constitutions were asked for, but the given texts make at most 2 different ones."
        ),
        (
            .constitutionCount(asked: 0, distinct: 4, principles: 2),
            "count=0 is not possible: ask for at least one constitution."
        ),
        (
            .overflow(queries: (1...10).map { "t\($0)" }, context: 256, maxTokens: 96),
            "10 queries would not fit the context of 256 tokens together with a response of 96: t1, t2, t3, t4, t5, t6, t7, t8 and 2 more. overflow=skip leaves them out; a smaller max_tokens makes room."
        ),
        (
            .allRejected(iteration: 2, counts: [.empty: 3, .identical: 1]),
            "Iteration 2 has nothing to train on, because every query was rejected: 3 empty, 1 identical."
        ),
        (.rolloutLine(17, .emptyResponse), "Line 17: the response is empty."),
        (
            .rolloutGrid(query: "7", counts: [0: 1, 2: 1]),
            "Query 7 needs constitutions 0, 1, … with the same number of responses each; it has 1 for constitution 0, 1 for constitution 2."
        ),
        (
            .tooLong(query: "7", tokens: 1, context: 0),
            "Query 7: 1 token does not fit the model's context of 0."
        ),
        (
            .contrastShape(query: "7", constitutions: 1, responses: 2),
            "Query 7 has 1 constitution and 2 responses: a contrast needs at least two constitutions and the same number of responses for each."
        ),
        (
            .scoreNotFinite(query: "7", constitution: 0, response: 1),
            "Query 7: the score of response 1 under constitution 0 is not a finite number. The model is unchanged."
        ),
        (
            .gradientNotFinite(query: "7", tensor: "lm_head.weight"),
            "Query 7: the gradient of lm_head.weight is not finite. The model is unchanged."
        ),
        (
            .gradientNotFinite(query: nil, tensor: nil),
            "The gradient is not finite. The model is unchanged."
        ),
        (
            .weightsNotFinite(tensor: "lm_head.weight", count: 2, learningRate: 1e30),
            "A step at learning rate 1e+30 makes 2 weights of lm_head.weight not finite. The model is unchanged; try a lower learning rate, or clip=1."
        ),
        (
            .setting(name: "accumulate", value: 0, allowed: "it must be 1 or more"),
            "accumulate=0 is not possible: it must be 1 or more."
        ),
        (
            .setting(name: "alpha", value: 1.5, allowed: "it must be in [0, 1)"),
            "alpha=1.5 is not possible: it must be in [0, 1)."
        ),
        (
            .setting(name: "epochs", value: .nan, allowed: "it must be above 0"),
            "epochs=nan is not possible: it must be above 0."
        ),
    ]

    @Test(arguments: sentences)
    func `errors are whole sentences`(error: AlignmentError, sentence: String) {
        #expect("\(error)" == sentence)
    }
}
