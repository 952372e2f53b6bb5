import Alignment
import CommandLanguage
import ShippedWorld
import Values

extension CommandTable {
    static let loadDemonstrationsForm = Command.Form(
        "demonstrations", "responses of the shipped world's careful author",
        makes: ["rollouts"], operands: [],
        options: [
            OptionSpecification("queries", .object("queries"), "in place of `queries`"),
            OptionSpecification(
                "constitutions", .object("constitutions"), "in place of `constitutions`"),
            OptionSpecification(
                "model", .object("model"), "the model whose prompts are used; default: `model`"),
            MethodKey.seed,
        ],
        example: "load demonstrations", run: loadDemonstrations)

    /// A program writes them, from the grammar that the shipped model has read: each follows every
    /// principle of its constitution that the world knows.
    private static func loadDemonstrations(_ invocation: Invocation) throws -> CommandResult {
        let model = try invocation.model()
        let queries = try invocation.object(QueriesObject.self, "queries").queries
        let key = try invocation.randomKey()
        let groups = try constitutionGroups(for: queries, key.child("compose"), invocation)
        let author = CarefulAuthor(key: key.child("demonstrations"))
        let count = groups.map(\.constitutions.count).max() ?? 0
        var written = [[WrittenResponse]](repeating: [], count: count)
        for (query, group) in zip(queries, groups) {
            for (index, constitution) in group.constitutions.enumerated() {
                guard
                    let text = author.response(
                        to: query, constitution.slots.map(\.text), index)
                else {
                    throw invocation.error(
                        "the careful author knows only queries of the shipped world, and \(query.id) "
                            + "is none of them",
                        suggestion: "load queries summaries", at: "queries")
                }
                written[index].append(WrittenResponse(query: query.id, text: text))
            }
        }
        let rollouts = try Rollouts(
            written: written, queries: queries, constitutions: groups, prompts: model.prompts,
            chat: try model.promptFormat())
        let object = RolloutsObject(rollouts: rollouts)
        return CommandResult("rollouts", object, notes: try notes(on: object, invocation))
    }
}
