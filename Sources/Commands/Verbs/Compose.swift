import Alignment
import CommandLanguage
import Values

extension CommandTable {
    static let composeCommand = Command(
        "compose", .method, "draws constitutions for every query",
        about: """
            Each query gets C constitutions that differ. Each slot holds a principle or its \
            antithesis, and the order of the principles is drawn anew for the training prompt.
            """,
        makes: ["constitutions"],
        operands: [
            .optional("from", .value, "principles or loaded constitutions")
        ],
        options: [
            OptionSpecification("count", .number, "C, constitutions a query; default: 2"),
            OptionSpecification("queries", .object("queries"), "in place of `queries`"),
        ] + MethodKey.composeAlone + [MethodKey.seed],
        example: "compose count=2", run: compose)

    private static func compose(_ invocation: Invocation) throws -> CommandResult {
        let queries = try invocation.object(QueriesObject.self, "queries")
        let sources = try sources(invocation)
        var composer = Composer()
        if let count = try invocation.integer("count", atLeast: 1, atMost: Composer.largestCount) {
            composer.count = count
        }
        try invocation.apply(to: &composer)
        let groups = try composer.compose(
            queries.queries, from: sources, key: try invocation.randomKey())
        return CommandResult("constitutions", ConstitutionsObject(content: .groups(groups)))
    }

    /// The sources of constitutions: the operand, or else principles, or else loaded constitutions.
    static func sources(
        _ invocation: Invocation, role: String = "from"
    ) throws -> [ConstitutionSource] {
        if let argument = invocation.argument(role) {
            let value = try invocation.value(argument)
            if let loaded = value.object(ConstitutionsObject.self),
                case .sources(let sources) = loaded.content
            {
                return sources
            }
            if value.describesConstitutions,
                case .sources(let sources) = try invocation.object(
                    ConstitutionsObject.self, role
                ).content
            {
                return sources
            }
            return [.pairs(try invocation.object(PrinciplesObject.self, role).pairs)]
        }
        if let principles = try invocation.objectIfBound(PrinciplesObject.self, "principles") {
            return [.pairs(principles.pairs)]
        }
        if let loaded = try invocation.objectIfBound(ConstitutionsObject.self, "constitutions"),
            case .sources(let sources) = loaded.content
        {
            return sources
        }
        return [.pairs(try invocation.object(PrinciplesObject.self, "principles").pairs)]
    }
}

extension Value {
    /// Whether it is a record of constitutions that a person typed, or a list of such records.
    fileprivate var describesConstitutions: Bool {
        switch self {
        case .record(let record): ConstitutionsObject.describes(record)
        case .list(let items): items.first?.describesConstitutions ?? false
        default: false
        }
    }
}
