import Alignment
import TextModels
import Values

// The parts of objects that a person may replace: texts, and nothing that is computed.

extension PrinciplesObject: EditableObject {
    package func replacing(item: Int, with value: Value) throws(EvaluationError) -> Value {
        var copy = self
        guard let made = try PrinciplesObject(wrapping: value), made.pairs.count == 1 else {
            throw .other(
                "a principle is a record, not \(value.aKind)",
                suggestion: "the form is \(PrinciplesObject.typedItem ?? "")")
        }
        copy.pairs[item] = made.pairs[0]
        return .object(copy)
    }

    package func edited(_ plain: Value) throws(EvaluationError) -> Value {
        try remade(PrinciplesObject.self, of: plain)
    }
}

extension QueriesObject: EditableObject {
    package func replacing(item: Int, with value: Value) throws(EvaluationError) -> Value {
        var copy = self
        var made = try QueriesObject(wrapping: value)
        if made == nil { made = try QueriesObject(wrapping: .list([value])) }
        guard let made, made.queries.count == 1 else {
            throw .other(
                "a query is a record or a text, not \(value.aKind)",
                suggestion: "the form is \(QueriesObject.typedItem ?? "")")
        }
        copy.queries[item] = made.queries[0]
        // A text or a record without an id keeps that of the query before it.
        if case .record(let record) = value, record["id"] == nil {
            copy.queries[item].id = queries[item].id
        }
        if case .text = value { copy.queries[item].id = queries[item].id }
        try copy.checkIDs()
        return .object(copy)
    }

    package func edited(_ plain: Value) throws(EvaluationError) -> Value {
        guard let made = try QueriesObject(wrapping: plain) else {
            return try remade(QueriesObject.self, of: plain)
        }
        try made.checkIDs()
        return .object(made)
    }

    private func checkIDs() throws(EvaluationError) {
        var seen: Set<QueryID> = []
        for query in queries where !seen.insert(query.id).inserted {
            throw .other(
                "two queries would have the id \(query.id), by which responses are told apart")
        }
    }
}

extension QueryObject: EditableObject {
    package static var replaceableFields: [String] { ["id", "form", "text"] }

    package func replacing(field: String, with value: Value) throws(EvaluationError) -> Value {
        guard case .text(let text) = value else {
            throw .wrongKind(
                role: "`\(field)` of a query", expected: "text", found: value.aKind)
        }
        var copy = self
        switch field {
        case "id": copy.query.id = QueryID(text)
        case "form":
            guard let form = QueryForm(rawValue: text) else {
                throw .outOfRange(
                    role: "`form` of a query",
                    rule: Sentence.alternatives(QueryForm.allCases.map(\.rawValue)),
                    found: value.summary)
            }
            copy.query.form = form
        default:
            guard text.contains(where: { !$0.isWhitespace }) else {
                throw .other("the text of a query cannot be empty")
            }
            copy.query.text = text
        }
        return .object(copy)
    }

    package func edited(_ plain: Value) throws(EvaluationError) -> Value {
        guard let made = try QueriesObject(wrapping: plain), made.queries.count == 1 else {
            return try remade(QueriesObject.self, of: plain)
        }
        return .object(QueryObject(query: made.queries[0]))
    }
}

extension ConstitutionsObject: EditableObject {
    /// In a composed group the text of a constitution is replaced in both places, as it was
    /// prompted and as it is trained on.
    package func replacing(item: Int, with value: Value) throws(EvaluationError) -> Value {
        switch content {
        case .sources(var sources):
            guard let made = try ConstitutionsObject(wrapping: value),
                case .sources(let new) = made.content, new.count == 1
            else {
                throw .other(
                    "constitutions are a record, not \(value.aKind)",
                    suggestion: "the form is \(ConstitutionsObject.typedItem ?? "")")
            }
            sources[item] = new[0]
            return .object(ConstitutionsObject(content: .sources(sources)))
        case .groups(var groups):
            groups[item] = try ConstitutionsObject.group(groups[item], with: value)
            return .object(ConstitutionsObject(content: .groups(groups)))
        }
    }

    private static func group(
        _ old: ConstitutionGroup, with value: Value
    ) throws(EvaluationError) -> ConstitutionGroup {
        guard case .record(let record) = value,
            record["query"]?.equals(.text(old.query.text)) ?? true
        else {
            throw .other("a group of constitutions stays with its query, \(old.query)")
        }
        var group = old
        let (texts, trained) = (try texts(record, "constitutions"), try texts(record, "training"))
        guard texts.count == old.constitutions.count, trained.count == old.training.count else {
            throw .other(
                "query \(old.query) has \(old.constitutions.count) constitutions, and their number "
                    + "stays; `compose count=` makes more")
        }
        for place in texts.indices {
            let isNew = texts[place] != old.constitutions[place].text
            let isNewlyTrained = trained[place] != old.training[place].text
            if isNew { group.constitutions[place] = try constitution(texts[place]) }
            if isNewlyTrained {
                group.training[place] = try constitution(trained[place])
            } else if isNew {
                group.training[place] = group.constitutions[place]
            }
        }
        return group
    }

    private static func texts(_ record: Record, _ key: String) throws(EvaluationError) -> [String] {
        guard case .list(let items)? = record[key] else {
            throw .other("`\(key)` must be a list of texts")
        }
        let texts = items.compactMap(\.asText)
        guard texts.count == items.count else {
            throw .other("each item of `\(key)` must be text")
        }
        return texts
    }

    private static func constitution(_ text: String) throws(EvaluationError) -> Constitution {
        do {
            return Constitution(
                slots: try Constitution.sentences(of: text).map {
                    Slot(text: $0, polarity: .principle)
                })
        } catch {
            throw .other(ErrorSentence.of(error))
        }
    }

    package func edited(_ plain: Value) throws(EvaluationError) -> Value {
        // Composed groups have their queries in their plain form; without, they are a file's.
        if case .groups(var groups) = content, case .list(let items) = plain,
            items.count == groups.count
        {
            for (index, item) in items.enumerated() {
                guard case .record(let record) = item else {
                    throw .other("a record was expected, not \(item.aKind)")
                }
                let old = groups[index]
                var texts = old.constitutions.map(\.text)
                if let positive = record["positive"]?.asText,
                    let negative = record["negative"]?.asText
                {
                    texts = [positive, negative]
                } else if case .list(let list)? = record["constitutions"] {
                    texts = list.compactMap(\.asText)
                }
                groups[index] = try ConstitutionsObject.group(
                    old,
                    with: .record([
                        "query": record["query"] ?? .text(old.query.text),
                        "constitutions": Value(texts), "training": Value(old.training.map(\.text)),
                    ]))
            }
            return .object(ConstitutionsObject(content: .groups(groups)))
        }
        return try remade(ConstitutionsObject.self, of: plain)
    }
}

extension RolloutsObject: EditableObject {
    package func replacing(item: Int, with value: Value) throws(EvaluationError) -> Value {
        guard let query = value.object(QueryRolloutsObject.self) else {
            throw .other(
                "the responses to a query are not replaced as a whole",
                suggestion: "rollouts[\(item)][0].response = \"…\"")
        }
        var copy = self
        copy.rollouts.groups[item] = query.group
        return .object(copy)
    }

    /// The prompts and constitutions stay where the lines are the same but for their responses;
    /// other lines make rollouts as a file does.
    package func edited(_ plain: Value) throws(EvaluationError) -> Value {
        guard
            let records = try RecordLines(
                typed: plain, as: RolloutsObject.kind, form: RolloutsObject.typedItem ?? "")
        else { return try remade(RolloutsObject.self, of: plain) }
        guard case .list(let old) = jsonValue, old.count == records.lines.count,
            zip(old, records.lines).allSatisfy({ old, line in old.isSame(as: line.record) })
        else {
            return .object(try RolloutsObject(records, separator: ""))
        }
        var result = self
        for (index, line) in records.lines.enumerated() {
            guard let place = place(index), let new = line.record["response"],
                case .record(let record) = old[index], record["response"]?.equals(new) == false
            else { continue }
            guard case .text(var text) = new else {
                throw records.bad(line, "`response` must be text, not \(new.aKind)")
            }
            // The plain form has the separator in front of the response.
            let separator = rollouts.groups[place.group].separator
            if text.hasPrefix(separator) { text.removeFirst(separator.count) }
            result.rollouts.groups[place.group].responses[place.response] =
                try rollouts.groups[place.group].responses[place.response].replaced(by: text)
        }
        return .object(result)
    }
}

extension QueryRolloutsObject: EditableObject {
    package func replacing(item: Int, with value: Value) throws(EvaluationError) -> Value {
        guard let one = value.object(RolloutObject.self) else {
            throw .other(
                "a response is not replaced as a whole",
                suggestion: "rollouts[0][\(item)].response = \"…\"")
        }
        var copy = self
        copy.group.responses[item] = one.response
        return .object(copy)
    }

    package func edited(_ plain: Value) throws(EvaluationError) -> Value {
        guard case .record(let record) = plain, case .list(let texts)? = record["responses"],
            texts.count == group.responses.count
        else {
            throw .other(
                "this is a record with its \(group.responses.count) `responses`")
        }
        var copy = self
        for (index, new) in texts.enumerated() {
            guard case .text(let text) = new else {
                throw .wrongKind(role: "a response", expected: "text", found: new.aKind)
            }
            if text == group.responses[index].text { continue }
            copy.group.responses[index] = try group.responses[index].replaced(by: text)
        }
        return .object(copy)
    }
}

extension RolloutObject: EditableObject {
    package static var replaceableFields: [String] { ["response"] }

    package func replacing(field: String, with value: Value) throws(EvaluationError) -> Value {
        guard case .text(let text) = value else {
            throw .wrongKind(
                role: "`response` of a rollout", expected: "text", found: value.aKind)
        }
        var copy = self
        copy.group.responses[index] = try response.replaced(by: text)
        return .object(copy)
    }

    package func edited(_ plain: Value) throws(EvaluationError) -> Value {
        guard case .record(let record) = plain, let text = record["response"] else {
            throw .other("a rollout is a record with its `response`")
        }
        return try replacing(field: "response", with: text)
    }
}

extension Response {
    /// A text that no model has sampled in the place of this response.
    fileprivate func replaced(by text: String) throws(EvaluationError) -> Response {
        guard case .text = content else {
            throw .other("these responses are token ids, and text cannot stand among them")
        }
        guard text.contains(where: { !$0.isWhitespace }) else {
            throw .other("a response cannot be empty")
        }
        return Response(content: .text(text), constitution: constitution, sample: sample)
    }
}

extension Value {
    /// Whether a line of rollouts differs from another in its response alone.
    fileprivate func isSame(as line: Record) -> Bool {
        guard case .record(let record) = self, record.count == line.count else { return false }
        return record.allSatisfy { key, value in
            key == "response" || line[key]?.equals(value) == true
        }
    }
}

extension EditableObject {
    /// An object of the kind from its plain form, as if a person had typed it.
    fileprivate func remade<Kind: ListObject>(
        _ type: Kind.Type, of plain: Value
    ) throws(EvaluationError) -> Value {
        guard let made = try Kind(wrapping: plain) else {
            throw .other(
                "\(Kind.kind) are a list of records, not \(plain.aKind)",
                suggestion: "the form is \(Kind.typedItem ?? "")")
        }
        return .object(made)
    }
}
