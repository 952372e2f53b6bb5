import Alignment

extension CommandTable {
    static let contrastCommand = Command(
        "contrast", .method, "the loss, its accuracies and its bounds on information",
        about: """
            Rows ask which response was sampled under a constitution, columns which constitution \
            a response was sampled under. The bounds are on mutual information, in nats, and cannot exceed log C.
            """,
        makes: ["loss"],
        operands: [
            .optional("logprobs", .object("logprobs"), "in place of `logprobs`; a matrix is fine")
        ],
        example: "contrast", run: contrast)

    private static func contrast(_ invocation: Invocation) throws -> CommandResult {
        let scores = try invocation.object(LogprobsObject.self, "logprobs").scores
        do {
            let contrasts = try scores.map { try Contrast($0.scores, query: $0.id.text) }
            return CommandResult("loss", LossObject(ids: scores.map(\.id), contrasts: contrasts))
        } catch {
            throw invocation.located(error, at: "logprobs")
        }
    }
}
