import Alignment
import Foundation
import HDF5Objects
import Rendering
import Tensors
import Tokenizers
import Values

/// The contrastive loss, its parts, and its bounds on mutual information.
struct LossObject: StorableObject {
    static let kind = "loss"

    var ids: [QueryID]
    var contrasts: [Contrast]

    var mean: ContrastSummary { ContrastSummary(contrasts) }

    static let fields: [Field<LossObject>] = [
        Field("value", "½ (row + column), mean over queries, in nats") { .number($0.mean.loss) },
        Field("row", "which response was sampled under this constitution? in nats") {
            .number($0.mean.row)
        },
        Field("column", "which constitution was this response sampled under? in nats") {
            .number($0.mean.column)
        },
        Field("row_accuracy", "share of rows whose largest score is on the diagonal") {
            .number($0.mean.rowAccuracy)
        },
        Field("column_accuracy", "share of columns whose largest score is on the diagonal") {
            .number($0.mean.columnAccuracy)
        },
        Field("row_bound", "log C − row, in nats; it can exceed the information, see `help bound`")
        {
            .number($0.mean.rowBound)
        },
        Field("column_bound", "log C − column: a lower bound on the information, in nats") {
            .number($0.mean.columnBound)
        },
        Field("bound", "log C − value, in nats") { .number($0.mean.bound) },
        Field("ceiling", "log C: the largest possible bound, in nats") { .number($0.mean.ceiling) },
        Field("count", "number of queries") { Value($0.contrasts.count) },
        Field("ids", "the queries") { Value($0.ids.map(\.text)) },
        Field("values", "the loss of each query") { object in
            .tensor(
                Tensor(object.contrasts.map { Float($0.loss) }, shape: [object.contrasts.count]))
        },
        Field("gradient", "∂loss/∂S of each query's own loss", isLarge: true) { object in
            .list(object.contrasts.map { .tensor(LogprobsObject.matrix($0.gradient)) })
        },
    ]

    var count: Int? { contrasts.count }

    var itemIDs: [String]? { ids.map(\.text) }

    func item(_ index: Int) -> Value {
        let contrast = contrasts[index]
        return .record([
            "query": .text(ids[index].text), "value": .number(contrast.loss),
            "row": .number(contrast.row), "column": .number(contrast.column),
            "row_accuracy": .number(contrast.rowAccuracy),
            "column_accuracy": .number(contrast.columnAccuracy),
            "bound": .number(contrast.bound),
        ])
    }

    func selecting(_ indices: [Int]) -> Value {
        .object(LossObject(ids: indices.map { ids[$0] }, contrasts: indices.map { contrasts[$0] }))
    }

    var summary: String {
        "\(NumberText.fixed(mean.loss, decimals: 4)) nats over "
            + NumberText.count(contrasts.count, "query", "queries")
    }

    func document(_ appearance: Appearance) -> Document {
        func digits(_ value: Double) -> String { NumberText.fixed(value, decimals: 4) }
        let mean = mean
        var document = Document("loss \(digits(mean.loss)) nats", .heading)
        document.append(
            ", mean over " + NumberText.count(contrasts.count, "query", "queries"), .faint)
        var table = Table([
            .init(""), .init("loss", isNumeric: true), .init("accuracy", isNumeric: true),
            .init("bound, nats", isNumeric: true),
        ])
        table.styles = [0: .faint]
        table.append([
            "rows", digits(mean.row), NumberText.percent(mean.rowAccuracy), digits(mean.rowBound),
        ])
        table.append([
            "columns", digits(mean.column), NumberText.percent(mean.columnAccuracy),
            digits(mean.columnBound),
        ])
        document.line(table)
        for line in TextWidth.wrapped(meaning, to: appearance.columns) {
            document.line(line, .faint)
        }
        return document
    }

    /// The numbers beside chance and ceiling, for a reader who does not know them.
    private var meaning: String {
        let mean = mean
        let ceiling = NumberText.fixed(mean.ceiling, decimals: 4)
        let bound = mean.bound
        var text =
            "A loss of \(ceiling) = log C is chance, and 0 is perfect; an accuracy of "
            + "\(NumberText.percent(exp(-mean.ceiling))) is chance. "
        if bound < 0 {
            let sides = [("rows", mean.rowBound), ("columns", mean.columnBound)]
            let telling = sides.filter { $0.1 > 0 }.map {
                "the \($0.0) alone bound it at \(NumberText.fixed($0.1, decimals: 4)) nats"
            }
            text +=
                "The mean bound on information is below zero, so it says nothing of how much "
                + "constitutions and responses share"
                + (telling.isEmpty ? "." : "; \(telling.joined(separator: ", ")).")
        } else {
            let share = mean.ceiling > 0 ? bound / mean.ceiling : 0
            text +=
                "By their bound, constitutions and responses share about "
                + "\(NumberText.fixed(bound, decimals: 4)) of \(ceiling) nats: "
                + (share < 0.05
                    ? "almost nothing yet."
                    : share > 0.9 ? "almost all there is." : "\(NumberText.percent(share)) of it.")
        }
        return text
    }

    var jsonValue: Value {
        var record = fieldRecord
        record["queries"] = .list(contrasts.indices.map(item))
        return .record(record)
    }

    func stored() throws -> StoredValue {
        // The figures come first, under their names in the language, for other programs.
        var record = StoredRecord()
        for field in LossObject.fields {
            if case .number(let number) = field.value(self) { record[field.name] = .number(number) }
        }
        record["ids"] = .list(ids.map { .text($0.text) })
        record["contrasts"] = try StoredValue(encoding: contrasts)
        return .record(record)
    }

    static func restored(_ value: StoredValue) throws -> LossObject {
        guard let ids = value["ids"]?.listValue?.compactMap(\.textValue),
            let stored = value["contrasts"]
        else { throw StorageError(kind: kind, problem: "a part of it is missing") }
        let contrasts = try stored.restored([Contrast].self, kind: kind)
        guard ids.count == contrasts.count else {
            throw StorageError(kind: kind, problem: "its parts do not fit together")
        }
        return LossObject(ids: ids.map { QueryID($0) }, contrasts: contrasts)
    }
}
