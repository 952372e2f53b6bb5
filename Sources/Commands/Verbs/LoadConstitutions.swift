import Alignment
import JSON
import Values
import Worlds

extension CommandTable {
    static let loadConstitutionsForm = Command.Form(
        "constitutions", "reads constitutions", makes: ["constitutions"],
        operands: [.required("path", .path, "a JSON Lines file")],
        example: "load constitutions constitutions.jsonl", run: loadConstitutions)

    private static func loadConstitutions(_ invocation: Invocation) throws -> CommandResult {
        let records = try invocation.records("path")
        do {
            return CommandResult("constitutions", try ConstitutionsObject(records))
        } catch {
            throw invocation.located(error, at: "path")
        }
    }
}

extension ConstitutionsObject: ListObject {
    static let typedItem: String? =
        #"{"positive": "1. Be brief.", "negative": "1. Be long."}, or {"principles": "#
        + #"["Be brief."], "antitheses": ["Be long."]}"#

    init?(wrapping value: Value) throws(EvaluationError) {
        guard
            let records = try RecordLines(
                typed: value, as: ConstitutionsObject.kind,
                form: ConstitutionsObject.typedItem ?? "")
        else { return nil }
        try self.init(records)
    }

    init(_ records: RecordLines) throws(EvaluationError) {
        content = .sources(
            try records.lines.map { line throws(EvaluationError) in
                try ConstitutionsObject.source(line, records)
            })
    }

    /// Whether a record describes constitutions and not a principle.
    static func describes(_ record: Record) -> Bool {
        ["positive", "negative", "principles", "antitheses", "constitutions"]
            .contains { record[$0] != nil }
    }

    private static func source(
        _ line: RecordLines.Line, _ file: RecordLines
    ) throws(EvaluationError) -> ConstitutionSource {
        let positive = try file.text("positive", line)
        let negative = try file.text("negative", line)
        let principles = try file.texts("principles", line)
        let antitheses = try file.texts("antitheses", line)
        let written = try file.texts("constitutions", line)
        do {
            if let positive, let negative {
                return .written(try Constitution.pair(positive: positive, negative: negative))
            }
            if let principles, let antitheses {
                return .pairs(
                    try PrinciplePair.pairs(principles: principles, antitheses: antitheses))
            }
            if let written {
                return .written(
                    try written.map { text in
                        Constitution(
                            slots: try Constitution.sentences(of: text).map {
                                Slot(text: $0, polarity: .principle)
                            })
                    })
            }
        } catch {
            throw file.bad(line, ErrorSentence.of(error))
        }
        let partner = [
            "positive": "negative", "negative": "positive",
            "principles": "antitheses", "antitheses": "principles",
        ]
        if let (given, missing) = partner.first(where: { line.record[$0.key] != nil }) {
            throw file.bad(line, "`\(given)` is there, and `\(missing)` is missing")
        }
        throw file.bad(
            line, "`positive` and `negative`, or `principles` and `antitheses`, are missing")
    }
}
