import Alignment
import HDF5Objects
import Rendering
import TextModels
import Values

/// Sentences that ask for a behavior, each with the sentence that asks for the opposite.
struct PrinciplesObject: StorableObject, ListObject {
    static let kind = "principles"

    var pairs: [PrinciplePair]

    init(pairs: [PrinciplePair]) {
        self.pairs = pairs
    }

    static let fields: [Field<PrinciplesObject>] = [
        Field("count", "number of pairs") { Value($0.pairs.count) },
        Field("principles", "the sentences that ask for a behavior") {
            Value($0.pairs.map(\.principle))
        },
        Field("antitheses", "the sentences that ask for the opposite") {
            Value($0.pairs.map(\.antithesis))
        },
    ]

    var count: Int? { pairs.count }

    func item(_ index: Int) -> Value { .record(PrinciplesObject.record(pairs[index])) }

    func selecting(_ indices: [Int]) -> Value {
        .object(PrinciplesObject(pairs: indices.map { pairs[$0] }))
    }

    static let typedItem: String? = #"{"principle": "Be brief.", "antithesis": "Be long."}"#

    init?(wrapping value: Value) throws(EvaluationError) {
        guard
            let records = try RecordLines(
                typed: value, as: PrinciplesObject.kind, form: PrinciplesObject.typedItem ?? "")
        else { return nil }
        try self.init(records)
    }

    init(_ records: RecordLines) throws(EvaluationError) {
        pairs = try records.lines.map { line throws(EvaluationError) in
            guard let principle = try records.text("principle", line),
                let antithesis = try records.text("antithesis", line)
            else {
                throw records.bad(line, "\"principle\" and \"antithesis\" are needed, both texts")
            }
            let form = try records.text("form", line)
            let pair = PrinciplePair(
                principle: principle, antithesis: antithesis,
                form: form.flatMap(QueryForm.init(rawValue:)),
                check: try records.text("check", line),
                antithesisCheck: try records.text("antithesis_check", line))
            do throws(EvaluationError) {
                _ = try CheckedMeasure([pair])
            } catch {
                throw records.bad(line, error.message)
            }
            return pair
        }
    }

    private static func record(_ pair: PrinciplePair) -> Record {
        var record: Record = [
            "principle": .text(pair.principle), "antithesis": .text(pair.antithesis),
        ]
        if let form = pair.form { record["form"] = .text(form.rawValue) }
        if let check = pair.check { record["check"] = .text(check) }
        if let check = pair.antithesisCheck { record["antithesis_check"] = .text(check) }
        return record
    }

    var summary: String { NumberText.count(pairs.count, "pair") }

    func document(_ appearance: Appearance) -> Document {
        var document = Document()
        let half = (appearance.columns - 8) / 2
        let longest = pairs.map { max(TextWidth.of($0.principle), TextWidth.of($0.antithesis)) }
        let hasChecks = pairs.contains { $0.check != nil || $0.antithesisCheck != nil }
        guard hasChecks || (longest.max() ?? 0) > half else {
            var table = Table([
                .init("", isNumeric: true), .init("principle"), .init("antithesis"),
            ])
            table.styles = [0: .faint]
            for (index, pair) in pairs.enumerated() {
                table.append(["\(index)", pair.principle, pair.antithesis])
            }
            document.line(table)
            return document
        }
        for (index, pair) in pairs.enumerated() {
            document.line("\(index)  ", .faint)
            document.append(pair.principle)
            document.line("   not: ", .faint)
            document.append(pair.antithesis)
            if let check = pair.check { document.line("   check: \(check)", .faint) }
            if let check = pair.antithesisCheck {
                document.line("   check of the antithesis: \(check)", .faint)
            }
        }
        return document
    }

    var jsonValue: Value { .list(pairs.map { .record(PrinciplesObject.record($0)) }) }

    func stored() throws -> StoredValue { try StoredValue(encoding: pairs) }

    static func restored(_ value: StoredValue) throws -> PrinciplesObject {
        PrinciplesObject(
            pairs: try value.restored([PrinciplePair].self, kind: kind))
    }
}
