import Alignment
import HDF5Objects
import Rendering
import Tokenizers
import Values

/// Sampled responses and the data they were sampled from; indexed by query, then by response.
struct RolloutsObject: StorableObject, ListObject {
    static let kind = "rollouts"

    var rollouts: Rollouts

    init(rollouts: Rollouts) {
        self.rollouts = rollouts
    }

    /// The group and the response of a line of a rollouts file, in the order of `all`.
    func place(_ index: Int) -> (group: Int, response: Int)? {
        var left = index
        for (number, group) in rollouts.groups.enumerated() {
            if left < group.responses.count { return (number, left) }
            left -= group.responses.count
        }
        return nil
    }

    static let fields: [Field<RolloutsObject>] = [
        Field("count", "number of queries") { Value($0.count ?? 0) },
        Field("ids", "the queries") { Value($0.itemIDs ?? []) },
        Field("queries", "the same") { Value($0.itemIDs ?? []) },
        Field("all", "all responses in one list, query after query") { .list($0.all) },
        Field("rejected", "excluded queries, with the reason") { object in
            .list(
                object.rollouts.rejected.map {
                    .record([
                        "query": .text($0.id.text), "reason": .text($0.reason.rawValue),
                        "constitution": $0.constitution.map { Value($0) } ?? .null,
                        "text": .text($0.text),
                    ])
                })
        },
        Field("voice", "who responded; null for the model itself") {
            Value($0.rollouts.voice)
        },
        Field("settings", "the sampling settings") { object in
            guard let settings = object.rollouts.settings else { return .null }
            return .record([
                "temperature": .number(settings.sampling.temperature),
                "max_tokens": Value(settings.sampling.maxTokens),
                "samples": Value(settings.samples),
                "top_p": Value(settings.sampling.topP), "top_k": Value(settings.sampling.topK),
                "min_p": Value(settings.sampling.minP),
            ])
        },
    ]

    var count: Int? { rollouts.groups.count }

    var itemIDs: [String]? { rollouts.groups.map(\.id.text) }

    func item(_ index: Int) -> Value {
        let group = rollouts.groups[index]
        return .object(QueryRolloutsObject(group: group, query: rollouts.query(group.id)))
    }

    func selecting(_ indices: [Int]) -> Value {
        let groups = indices.map { rollouts.groups[$0] }
        return .object(
            RolloutsObject(
                rollouts: Rollouts(
                    groups: groups, queries: groups.compactMap { rollouts.query($0.id) },
                    settings: rollouts.settings, voice: rollouts.voice)))
    }

    /// All responses, query after query.
    var all: [Value] {
        rollouts.groups.flatMap { group in
            let query = rollouts.query(group.id)
            return group.responses.indices.map {
                Value.object(RolloutObject(group: group, query: query, index: $0))
            }
        }
    }

    /// `rollouts.response` lists the responses of all queries.
    var fieldOwners: [Value]? { all }

    static let typedItem: String? =
        #"{"query": "a", "constitution": 0, "response": "A response."}"#

    /// Accepts responses; records need the verb's model and prompts, and become rollouts there.
    init?(wrapping value: Value) {
        let items: [Value]
        if case .list(let list) = value { items = list } else { items = [value] }
        var groups: [RolloutGroup] = []
        var queries: [Query] = []
        for item in items {
            // A single response stands for its query: a contrast needs all responses of the query.
            guard let (group, query) = QueryRolloutsObject.origin(of: item) else { return nil }
            if groups.last != group { groups.append(group) }
            if let query, !queries.contains(query) { queries.append(query) }
        }
        guard !groups.isEmpty else { return nil }
        self.init(rollouts: Rollouts(groups: groups, queries: queries))
    }

    /// "2 rejected: 1 overflow (tldr-3), 1 identical (tldr-9)"
    var rejectionNote: String? { RolloutsObject.note(rollouts.rejected, rollouts.counts) }

    /// "in 2 of 64 responses the tokens that are scored differ from those sampled"
    var retokenizationNote: String? {
        let (count, total) = rollouts.retokenized
        guard count > 0 else { return nil }
        return "in \(count) of \(NumberText.count(total, "response")) the tokens that are scored "
            + "differ from those sampled"
    }

    static func note(
        _ rejected: [Rollouts.Rejected], _ counts: [(reason: RolloutRejection, count: Int)]
    ) -> String? {
        guard !rejected.isEmpty else { return nil }
        let reasons = counts.map { reason, count in
            let ids = rejected.filter { $0.reason == reason }.map(\.id.text)
            let shown = ids.prefix(5).joined(separator: ", ") + (ids.count > 5 ? ", …" : "")
            return "\(count) \(reason.words) (\(shown))"
        }
        let isCut = counts.contains { $0.count > 5 }
        return "\(NumberText.count(rejected.count, "query", "queries")) left out: "
            + reasons.joined(separator: "; ") + (isCut ? "; `rollouts.rejected` lists all" : "")
    }

    var summary: String {
        let responses = rollouts.groups.reduce(0) { $0 + $1.responses.count }
        return NumberText.count(responses, "response")
            + (rollouts.voice.map { " of `\($0)`" } ?? "") + " to "
            + NumberText.count(rollouts.groups.count, "query", "queries")
    }

    func document(_ appearance: Appearance) -> Document {
        var document = Document("rollouts: \(summary)", .heading)
        if let first = rollouts.groups.first {
            document.append(
                ", \(first.prompts.count) constitutions × \(NumberText.count(first.samples, "sample"))",
                .faint)
        }
        for (place, group) in rollouts.groups.prefix(2).enumerated() {
            for (index, response) in group.responses.prefix(4).enumerated() {
                let number = "[\(place)][\(index)] "
                let name = "\(group.id) under \(response.constitution): "
                let body = response.text ?? "\(group.responses[index].tokenCount) tokens"
                let start = TextWidth.cut(
                    TextWidth.oneLine(body), to: max(20, 2 * appearance.columns - 24))
                let lines = TextWidth.wrapped(number + name + start, to: appearance.columns)
                document.line(number, .faint)
                document.append(name, .name)
                if let first = lines.first, first.hasPrefix(number + name) {
                    document.append(String(first.dropFirst((number + name).count)))
                    for line in lines.dropFirst() { document.line(line) }
                } else {
                    document.append(start)
                }
            }
        }
        if rollouts.groups.count > 2 {
            document.line("… and \(rollouts.groups.count - 2) more queries", .faint)
        }
        return document
    }

    /// Lines of a rollouts file.
    var jsonValue: Value {
        .list(
            rollouts.lines.map { line in
                var record: Record = [
                    "query": .text(line.query.text),
                    "constitution": Value(line.constitution),
                    "prompt": line.prompt.value, "response": line.response.value,
                ]
                if let chat = line.chat {
                    record["chat"] = .record(["end_of_turn": Value(chat.endOfTurn)])
                }
                return .record(record)
            })
    }

    func stored() throws -> StoredValue { try StoredValue(encoding: rollouts) }

    static func restored(_ value: StoredValue) throws -> RolloutsObject {
        RolloutsObject(
            rollouts: try value.restored(Rollouts.self, kind: kind))
    }
}

/// One response, with the other responses to its query.
struct RolloutObject: StorableObject {
    static let kind = "rollout"

    var group: RolloutGroup
    /// The query of the group; nil if only prompts are known.
    var query: Query?
    var index: Int

    var response: Response { group.responses[index] }

    static let fields: [Field<RolloutObject>] = [
        Field("query", "the id of its query") { .text($0.group.id.text) },
        Field("asked", "the text of its query") { Value($0.query?.text) },
        Field("constitution", "the number of its constitution") {
            Value($0.response.constitution)
        },
        Field("principles", "that constitution's text") { object in
            guard object.group.constitutions.indices.contains(object.response.constitution) else {
                return .null
            }
            return .text(object.group.constitutions[object.response.constitution].text)
        },
        Field("prompt", "the prompt for scoring") { object in
            object.group.prompts.indices.contains(object.response.constitution)
                ? object.group.prompts[object.response.constitution].value : .null
        },
        Field("response", "the model's text") { $0.response.content.value },
        Field("sample", "its number among the responses of its constitution") {
            Value($0.response.sample)
        },
        Field("tokens", "number of sampled tokens") { Value($0.response.sampledTokens) },
        Field("sampled", "the sampled token ids; null for a loaded response") { object in
            object.response.sampled.map { Value($0.map { Int($0) }) } ?? .null
        },
    ]

    var summary: String {
        let text = response.text.map { TextWidth.cut(TextWidth.oneLine($0), to: 60) }
        return "\(group.id) under \(response.constitution): \(text ?? "tokens")"
    }

    func document(_ appearance: Appearance) -> Document {
        var document = Document(
            "rollout of \(group.id), constitution \(response.constitution)", .heading)
        if group.constitutions.indices.contains(response.constitution) {
            for line in TextWidth.wrapped(
                group.constitutions[response.constitution].text, to: appearance.columns - 2)
            {
                document.line("  " + line, .faint)
            }
        }
        let body = response.text ?? response.content.value.json
        for line in TextWidth.wrapped(TextWidth.printable(body), to: appearance.columns) {
            document.line(line)
        }
        return document
    }

    var jsonValue: Value { .record(fieldRecord) }

    func stored() throws -> StoredValue {
        .record(
            StoredRecord([
                ("group", try StoredValue(encoding: group)),
                ("query", try query.map { try StoredValue(encoding: $0) } ?? .null),
                ("index", .number(Double(index))),
            ]))
    }

    static func restored(_ value: StoredValue) throws -> RolloutObject {
        guard let stored = value["group"], let index = value["index"]?.numberValue else {
            throw StorageError(kind: kind, problem: "a part of it is missing")
        }
        let group = try stored.restored(RolloutGroup.self, kind: kind)
        guard let index = Int(exactly: index), group.responses.indices.contains(index) else {
            throw StorageError(kind: kind, problem: "its response is missing")
        }
        // Older workspaces keep the query in the group.
        let query = [value["query"], stored["asked"]].compactMap(\.self).first { $0 != .null }
        return RolloutObject(
            group: group,
            query: try query.map {
                try $0.restored(Query.self, kind: kind)
            }, index: index)
    }
}

extension TextOrTokens {
    /// Text, or token ids if there is no text.
    var value: Value {
        switch self {
        case .text(let text): .text(text)
        case .tokens(let tokens): Value(tokens.map { Int($0) })
        }
    }
}

extension Response {
    var tokenCount: Int {
        if case .tokens(let tokens) = content { return tokens.count }
        return sampledTokens
    }
}

extension RolloutRejection {
    /// The reason in words, for a sentence with its count.
    var words: String {
        switch self {
        case .overflow: "too long for the context"
        case .empty: "with an empty response"
        case .unfinished: "with an unfinished response"
        case .malformed: "with a malformed response"
        case .identical: "with identical responses"
        case .missing: "without a response"
        }
    }
}
