import Alignment
import CommandLanguage
import TextModels
import Values

extension CommandTable {
    static let loadRolloutsForm = Command.Form(
        "rollouts", "reads prompts and responses", makes: ["rollouts"],
        operands: [.required("path", .path, "a JSON Lines, .json or .csv file")],
        options: [
            OptionSpecification(
                "join", .text, "the separator between prompt and response; default: empty")
        ],
        example: "load rollouts rollouts.jsonl", run: loadRollouts)

    private static func loadRollouts(_ invocation: Invocation) throws -> CommandResult {
        let file = try invocation.records("path")
        let object: RolloutsObject
        do {
            object = try invocation.rollouts(file, separator: invocation.text("join") ?? "")
        } catch {
            throw error is LocatedError ? error : invocation.located(error, at: "path")
        }
        return CommandResult("rollouts", object, notes: try notes(on: object, invocation))
    }
}

extension Invocation {
    /// Rollouts of records that a person typed; nil for any other value.
    func typedRollouts(_ value: Value, _ span: SourceSpan) throws -> RolloutsObject? {
        do {
            guard
                let records = try RecordLines(
                    typed: value, as: RolloutsObject.kind, form: RolloutsObject.typedItem ?? "")
            else { return nil }
            let object = try rollouts(records, separator: "")
            _ = try CommandTable.notes(on: object, self)
            return object
        } catch {
            throw error is LocatedError ? error : LocatedError(error: error, span: span)
        }
    }

    /// Rollouts of records. Without `prompt`, the prompts are those of `queries`, `constitutions`
    /// and `model`, as if `rollout` had sampled the responses.
    fileprivate func rollouts(_ records: RecordLines, separator: String) throws -> RolloutsObject {
        guard records.lines.contains(where: { $0.record["prompt"] != nil }) else {
            return try rolloutsWithoutPrompts(records)
        }
        return try RolloutsObject(records, separator: separator)
    }

    private func rolloutsWithoutPrompts(_ records: RecordLines) throws -> RolloutsObject {
        guard session.isBound("queries"), session.isBound("constitutions") else {
            throw records.bad(
                records.lines[0],
                "`prompt` is missing; without it, prompts are made of `queries` and "
                    + "`constitutions`, and the workspace does not have both")
        }
        let model = try model()
        let all = try workspaceObject(QueriesObject.self, "queries").queries
        var responses: [(constitution: Int, line: RecordLines.Line, written: WrittenResponse)] = []
        for line in records.lines {
            guard let text = try records.text("response", line) else {
                throw records.bad(line, "`response` is missing")
            }
            let query = try records.query(line, among: all)
            responses.append(
                (
                    try records.wholeNumber("constitution", line), line,
                    WrittenResponse(query: query, text: text)
                ))
        }
        let answered = Set(responses.map(\.written.query))
        let queries = all.filter { answered.contains($0.id) }
        let groups = try CommandTable.constitutionGroups(
            for: queries, try randomKey().child("compose"), self)
        let count = groups.first?.constitutions.count ?? 0
        var written = [[WrittenResponse]](repeating: [], count: count)
        for (constitution, line, response) in responses {
            guard written.indices.contains(constitution) else {
                throw records.bad(
                    line,
                    "there is no constitution \(constitution): a query has \(count), 0 to "
                        + "\(count - 1)")
            }
            written[constitution].append(response)
        }
        return RolloutsObject(
            rollouts: try Rollouts(
                written: written, queries: queries, constitutions: groups, prompts: model.prompts,
                chat: try model.promptFormat()))
    }
}

extension RolloutsObject {
    /// Rollouts of records that have their prompts.
    init(_ records: RecordLines, separator: String) throws(EvaluationError) {
        let lines = try records.lines.map { line throws(EvaluationError) in
            RolloutLine(
                line: line.number, query: try records.queryName(line),
                constitution: try records.wholeNumber("constitution", line),
                prompt: try records.textOrTokens("prompt", line),
                response: try records.textOrTokens("response", line),
                chat: try records.joint(line))
        }
        do {
            self.init(rollouts: try Rollouts(lines: lines, separator: separator))
        } catch AlignmentError.rolloutLine(let number, let problem) {
            guard records.source != .lines,
                let line = records.lines.first(where: { $0.number == number })
            else {
                throw EvaluationError.badFile(
                    path: records.shown,
                    problem: ErrorSentence.of(AlignmentError.rolloutLine(number, problem)))
            }
            var sentence = problem.sentence(of: "item")
            sentence.removeLast()  // The full stop: messages of statements have none.
            throw records.bad(line, sentence)
        } catch {
            throw .badFile(path: records.shown, problem: ErrorSentence.of(error))
        }
    }
}

extension RecordLines {
    fileprivate func queryName(_ line: Line) throws(EvaluationError) -> QueryID {
        guard let id = try id("query", line) else { throw bad(line, "`query` is missing") }
        return id
    }

    /// The query that a record names by its id, or by its place in the list.
    fileprivate func query(
        _ line: Line, among queries: [Alignment.Query]
    ) throws(EvaluationError) -> QueryID {
        let name = try queryName(line)
        if queries.contains(where: { $0.id == name }) { return name }
        if case .number? = line.json["query"], let place = Int(name.text),
            queries.indices.contains(place)
        {
            return queries[place].id
        }
        throw bad(line, "no query of `queries` is called \(Value.text(name.text).summary)")
    }

    fileprivate func wholeNumber(_ key: String, _ line: Line) throws(EvaluationError) -> Int {
        guard let value = line.record[key] else { throw bad(line, "`\(key)` is missing") }
        guard case .number = value, let number = value.asInteger else {
            throw bad(line, "`\(key)` must be a whole number, not \(value.aKind)")
        }
        return number
    }

    /// `chat`: true for a prompt that a chat template wrote, or a record with the token that ends
    /// a turn.
    fileprivate func joint(_ line: Line) throws(EvaluationError) -> ChatJoint? {
        switch line.record["chat"] ?? .null {
        case .null, .bool(false): return nil
        case .bool(true): return ChatJoint()
        case .record(let record):
            switch record["end_of_turn"] ?? .null {
            case .text(let text): return ChatJoint(endOfTurn: text)
            case .null: return ChatJoint()
            case let value:
                throw bad(line, "`end_of_turn` must be text, not \(value.aKind)")
            }
        case let value:
            throw bad(
                line, "`chat` must be true, or a record with `end_of_turn`, not \(value.aKind)")
        }
    }

    fileprivate func textOrTokens(
        _ key: String, _ line: Line
    ) throws(EvaluationError) -> TextOrTokens {
        switch line.record[key] ?? .null {
        case .text(let text): return .text(text)
        case .list(let items):
            var tokens: [Int32] = []
            for item in items {
                guard let token = item.asInteger.flatMap(Int32.init(exactly:)) else {
                    throw bad(line, "each item of `\(key)` must be a token id")
                }
                tokens.append(token)
            }
            return .tokens(tokens)
        case .null: throw bad(line, "`\(key)` is missing")
        case let value:
            throw bad(line, "`\(key)` must be text or a list of token ids, not \(value.aKind)")
        }
    }
}
