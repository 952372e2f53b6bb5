import LongWork
import TextModels

/// Faults of this module's inputs and of its numbers.
public enum AlignmentError: Error, Sendable, Hashable {
    // Queries and principles
    case noQueries
    case queryFields(query: String, given: [String])
    case emptyQuery(query: String)
    case duplicateQuery(String)
    case noPrinciples(form: QueryForm?)
    case principleOpposesItself(String)
    case principleCount(asked: Int, available: Int)
    case proposeCount(Int)
    /// The request to the writer leaves no room in its context.
    case writerOverflow

    // Constitutions
    case constitutionText(found: String)
    case constitutionLengths(positive: Int, negative: Int)
    case constitutionsEqual
    case constitutionCount(asked: Int, distinct: Int, principles: Int?)
    /// Constitutions refer to a query that is not in the list.
    case unknownQuery(String)

    // Rollouts
    case noRollouts
    case sampleCount(Int)
    case overflow(queries: [String], context: Int, maxTokens: Int)
    case allRejected(iteration: Int, counts: [RolloutRejection: Int])
    case rolloutLine(Int, RolloutLineProblem)
    case rolloutGrid(query: String, counts: [Int: Int])
    case responseLists(found: Int, constitutions: Int)

    // Encoding and scoring
    case needsTokenizer(query: String)
    case mixedPassages(query: String)
    case emptyPrompt(query: String)
    case emptyResponse(query: String, response: Int)
    case tooLong(query: String, tokens: Int, context: Int)
    case outsideVocabulary(query: String, token: Int32, vocabulary: Int)
    case noEndToken
    case scoreShape(constitutions: Int, responses: Int, values: Int)
    case contrastShape(query: String, constitutions: Int, responses: Int)

    // Numbers
    case scoreNotFinite(query: String, constitution: Int, response: Int)
    case logitsNotFinite(query: String)
    case gradientNotFinite(query: String?, tensor: String?)
    case weightsNotFinite(tensor: String, count: Int, learningRate: Double)
    case otherModel
    case needsReference
    case penalty(Double)
    case setting(name: String, value: Double, allowed: String)

    /// The caller's closure returned `.stop`, and the work has no result.
    case stopped(WorkProgress.Phase, done: Int, of: Int)
}

/// Faults of a line of a rollouts file.
public enum RolloutLineProblem: Sendable, Hashable {
    case emptyPrompt
    case emptyResponse
    case mixedKinds
    case constitutionNumber(Int)
    case otherPrompt(first: Int)
    case otherJoint(first: Int)
}

extension AlignmentError: CustomStringConvertible {
    public var description: String {
        switch self {
        case .noQueries: "There are no queries: load some first."
        case .queryFields(let query, let given):
            "Query \(query) must have one of \"post\", \"question\" and \"text\"; "
                + (given.isEmpty ? "it has no field." : "it has \(quoted(given)).")
        case .emptyQuery(let query): "Query \(query) is empty."
        case .duplicateQuery(let query):
            "Two of the queries have the id \(query); each query needs an id of its own."
        case .noPrinciples(nil): "There are no principles: propose or load some first."
        case .noPrinciples(let form?):
            "No principle is meant for a query that is a \(form.rawValue)."
        case .principleOpposesItself(let principle):
            "\"\(principle)\" is its own antithesis: the two sentences must differ."
        case .principleCount(let asked, let available):
            "A constitution of \(counted(asked, "principle")) is not possible: "
                + "only \(available) are available."
        case .proposeCount(let count):
            "\(counted(count, "principle")) cannot be proposed: ask for 1 or more."
        case .writerOverflow:
            "The request to the writer does not fit its context: a shorter template makes room."
        case .constitutionText(let found):
            "A constitution is a numbered list, \"1. …\", one principle a line; found \"\(found)\"."
        case .constitutionLengths(let positive, let negative):
            "There must be as many antitheses as principles; there are \(positive) principles and "
                + "\(negative) antitheses."
        case .constitutionsEqual:
            "The two constitutions are the same, so there is nothing to contrast."
        case .constitutionCount(let asked, let distinct, let principles):
            constitutionCount(asked, distinct, principles)
        case .unknownQuery(let query):
            "There are constitutions for query \(query), which is not among the queries."
        case .noRollouts: "There are no rollouts: roll out or load some first."
        case .sampleCount(let count):
            "samples=\(count) is not possible: it must be between 1 and \(Composer.largestCount)."
        case .overflow(let queries, let context, let maxTokens):
            overflow(queries, context, maxTokens)
        case .allRejected(let iteration, let counts):
            "Iteration \(iteration) has nothing to train on, because every query was rejected: "
                + RolloutRejection.allCases.compactMap { reason in
                    counts[reason].map { "\($0) \(reason.rawValue)" }
                }.joined(separator: ", ") + "."
        case .rolloutLine(let line, let problem): "Line \(line): \(problem.sentence(of: "line"))"
        case .rolloutGrid(let query, let counts):
            "Query \(query) needs constitutions 0, 1, … with the same number of responses each; it has "
                + counts.keys.sorted().map { "\(counts[$0] ?? 0) for constitution \($0)" }
                .joined(separator: ", ") + "."
        case .responseLists(let found, let constitutions):
            "\(counted(found, "list")) of responses do not fit "
                + "\(counted(constitutions, "constitution")): give one for each."
        default: numbers
        }
    }

    private var numbers: String {
        switch self {
        case .needsTokenizer(let query):
            "Query \(query) is text, and there is no tokenizer: load one, or a model that has one."
        case .mixedPassages(let query):
            "Query \(query) has prompts and responses of different kinds, text and token ids."
        case .emptyPrompt(let query): "A prompt of query \(query) has no token."
        case .emptyResponse(let query, let response):
            "Response \(response) of query \(query) has no token to score."
        case .tooLong(let query, let tokens, let context):
            "Query \(query): \(counted(tokens, "token does", "tokens do")) not fit the model's context of \(context)."
        case .outsideVocabulary(let query, let token, let vocabulary):
            "Query \(query) has token \(token), which is outside the model's vocabulary of \(vocabulary): "
                + "the tokenizer probably belongs to another model."
        case .noEndToken:
            "score_end=true needs an end-of-sequence token, and neither model nor tokenizer names one."
        case .scoreShape(let constitutions, let responses, let values):
            "\(counted(values, "score")) cannot have the shape (\(constitutions), \(responses))."
        case .contrastShape(let query, let constitutions, let responses):
            "Query \(query) has \(counted(constitutions, "constitution")) and "
                + "\(counted(responses, "response")): a contrast needs at least two constitutions and "
                + "the same number of responses for each."
        case .scoreNotFinite(let query, let constitution, let response):
            "Query \(query): the score of response \(response) under constitution \(constitution) is "
                + "not a finite number. The model is unchanged."
        case .logitsNotFinite(let query):
            "Query \(query): the model's logits are not finite numbers. Nothing has changed."
        case .gradientNotFinite(let query?, let tensor):
            "Query \(query): the gradient\(of(tensor)) is not finite. The model is unchanged."
        case .gradientNotFinite(nil, let tensor):
            "The gradient\(of(tensor)) is not finite. The model is unchanged."
        case .weightsNotFinite(let tensor, let count, let learningRate):
            "A step at learning rate \(learningRate) makes \(counted(count, "weight")) of \(tensor) not "
                + "finite. The model is unchanged; try a lower learning rate, or clip=1."
        case .otherModel: "The gradients belong to a model of another shape."
        case .needsReference: "A penalty needs a base model: load one."
        case .penalty(let beta): "beta=\(beta) is not possible: it must be 0 or more."
        case .setting(let name, let value, let allowed):
            "\(name)=\(number(value)) is not possible: \(allowed)."
        case .stopped(let stage, let done, let total):
            "Stopped in \(stage.rawValue) after \(done) of \(total)."
        default: "The input is not valid."
        }
    }

    private func constitutionCount(_ asked: Int, _ distinct: Int, _ principles: Int?) -> String {
        if asked < 1 { return "count=\(asked) is not possible: ask for at least one constitution." }
        let source =
            switch principles {
            case nil: "the given texts make"
            case 1: "1 principle and its antithesis make"
            case let count?: "\(count) principles and their antitheses make"
            }
        return "\(asked) constitutions were asked for, but \(source) "
            + "at most \(distinct) different ones."
    }

    private func overflow(_ queries: [String], _ context: Int, _ maxTokens: Int) -> String {
        let shown = queries.prefix(8).joined(separator: ", ")
        let more = queries.count > 8 ? " and \(queries.count - 8) more" : ""
        return
            "\(counted(queries.count, "query", "queries")) would not fit the context of \(context) "
            + "tokens together with a response of \(maxTokens): \(shown)\(more). "
            + "overflow=skip leaves them out; a smaller max_tokens makes room."
    }

    private func of(_ tensor: String?) -> String { tensor.map { " of \($0)" } ?? "" }

    private func quoted(_ names: [String]) -> String {
        names.map { "\"\($0)\"" }.joined(separator: ", ")
    }

    private func counted(_ count: Int, _ one: String, _ many: String? = nil) -> String {
        "\(count) \(count == 1 ? one : many ?? one + "s")"
    }

    private func number(_ value: Double) -> String {
        value == value.rounded() && abs(value) < 1e9 ? String(Int(value)) : String(value)
    }
}

extension RolloutLineProblem {
    /// - Parameter record: the word for a record: "line" or "item".
    package func sentence(of record: String) -> String {
        switch self {
        case .emptyPrompt: "the prompt is empty."
        case .emptyResponse: "the response is empty."
        case .mixedKinds: "prompt and response must both be text or both be lists of token ids."
        case .constitutionNumber(let number):
            "a constitution's number must be between 0 and \(Composer.largestCount - 1), not \(number)."
        case .otherPrompt(let first):
            "the prompt differs from that of \(record) \(first) for the same query and constitution."
        case .otherJoint(let first):
            "`chat` differs from that of \(record) \(first) for the same query."
        }
    }
}
