import Alignment
import CommandLanguage
import JSON
import Rendering
import TextModels
import Values
import Worlds

extension CommandTable {
    static let loadQueriesForm = Command.Form(
        "queries", "reads queries from a file or from the shipped world",
        makes: ["queries"],
        operands: [
            .required(
                "path",
                .either(
                    [
                        Choice("summaries", "posts of the shipped world"),
                        Choice("answers", "questions of the shipped world"),
                    ], .path),
                "a file of records: JSON Lines, `.json` or `.csv`, also as `.gz`")
        ],
        options: [
            OptionSpecification(
                "split",
                .words([
                    Choice("train", "to train on (default)"),
                    Choice("test", "held out"),
                ]), "which part of the shipped world"),
            OptionSpecification(
                "field", .word,
                "the field with the text; default: `post`, `question`, `text`, or a known form"),
            OptionSpecification("count", .number, "number of queries; 64 from the shipped world"),
            OptionSpecification("first", .number, "number of queries to skip; default: 0"),
            OptionSpecification(
                "seed", .number, "selects other queries of the shipped world; default: 0"),
        ],
        example: "load queries summaries split=test count=4", run: loadQueries)

    private static func loadQueries(_ invocation: Invocation) throws -> CommandResult {
        let first = try invocation.integer("first", atLeast: 0, atMost: 1 << 40) ?? 0
        if let kind = try invocation.word(invocation.argument("path")).flatMap(
            QueryKind.init(plural:))
        {
            let count = try invocation.integer("count", atLeast: 1, atMost: 1_000_000) ?? 64
            let split = try invocation.word("split", Split.self) ?? .train
            let seed = try invocation.integer("seed", atLeast: 0, atMost: 1 << 53) ?? 0
            if invocation.has("field") {
                throw invocation.error(
                    "`field` belongs to a file, not to the shipped world",
                    suggestion: "load queries FILE field=prompt", at: "field")
            }
            let queries = (first..<first + count).map { index in
                Alignment.Query(
                    World.everyday.query(
                        kind: kind, split: split, index: index, seed: UInt64(seed)))
            }
            return CommandResult("queries", QueriesObject(queries: queries))
        }
        for key in ["split", "seed"] where invocation.has(key) {
            throw invocation.error(
                "`\(key)` belongs to the shipped world, not to a file",
                suggestion: "load queries summaries split=test", at: key)
        }
        let file = try invocation.records("path")
        let read: [(query: Alignment.Query, source: String)]
        do {
            read = try QueriesObject.read(file, field: invocation.text("field"))
        } catch {
            throw invocation.located(error, at: invocation.has("field") ? "field" : "path")
        }
        let count = try invocation.integer("count", atLeast: 1)
        let kept = zip(file.lines, read).dropFirst(first).prefix(count ?? read.count)
        let queries = kept.map { $0.1.query }
        var lines: [QueryID: RecordLines.Line] = [:]
        for (line, query) in zip(kept.map { $0.0 }, queries) {
            if let other = lines.updateValue(line, forKey: query.id) {
                let place = file.source == .lines ? "line" : "item"
                throw invocation.located(
                    file.bad(
                        line,
                        "the id \(query.id) is that of \(place) \(other.number), too; "
                            + "responses are told apart by it"), at: "path")
            }
        }
        guard !queries.isEmpty else {
            throw invocation.error(
                "\(file.shown) has \(NumberText.count(file.lines.count, "query", "queries")), so "
                    + "none is left after the first \(first)", at: "first")
        }
        return CommandResult(
            "queries", QueriesObject(queries: queries),
            notes: [note(file, read: read.count, kept: kept.map { $0.1.source })])
    }

    /// How many of the file's records are queries now, and the fields of their texts.
    private static func note(_ file: RecordLines, read: Int, kept: [String]) -> String {
        var counts: [(source: String, count: Int)] = []
        for source in kept {
            if let place = counts.firstIndex(where: { $0.source == source }) {
                counts[place].count += 1
            } else {
                counts.append((source, 1))
            }
        }
        let sources = counts.map { source, count in
            counts.count == 1 ? source : "\(source) in \(NumberText.grouped(count))"
        }
        let all = NumberText.count(read, "record")
        let share = kept.count == read ? all : "\(NumberText.grouped(kept.count)) of \(all)"
        return "\(share) in \(file.shown); the text is " + sources.joined(separator: "; ")
    }
}
