import Alignment
import HDF5Objects
import Rendering
import Tensors
import Tokenizers
import Values

/// The reports of training: a table of numbers with one row for each logged step.
struct LogObject: StorableObject {
    static let kind = "log"

    /// The logged verb: "train", "finetune", "iterate", "pretrain".
    var title: String
    /// All rows have the same fields. The values are numbers, except for a few texts.
    var rows: [Record]
    /// Sentences about the whole run.
    var remarks: [String] = []

    static let fields: [Field<LogObject>] = [
        Field("count", "number of rows") { Value($0.rows.count) },
        Field("title", "the logged verb") { .text($0.title) },
        Field(
            "columns", "the names of the columns; `loss` explains those it has too, kl is to `base`"
        ) { object in
            Value(object.rows.first.map { Array($0.keys) } ?? [])
        },
        Field("remarks", "sentences about the whole run") { Value($0.remarks) },
        Field("accuracy", "the mean of row_accuracy and column_accuracy in each row") {
            $0.accuracies.map(Value.list) ?? .null
        },
    ]

    /// Nil for a log without accuracies.
    private var accuracies: [Value]? {
        let means = rows.compactMap { row -> Value? in
            guard let rows = row["row_accuracy"]?.asNumber,
                let columns = row["column_accuracy"]?.asNumber
            else { return nil }
            return .number((rows + columns) / 2)
        }
        return means.isEmpty ? nil : means
    }

    var count: Int? { rows.count }

    func item(_ index: Int) -> Value { .record(rows[index]) }

    func selecting(_ indices: [Int]) -> Value {
        .object(LogObject(title: title, rows: indices.map { rows[$0] }, remarks: remarks))
    }

    var summary: String { "\(title), \(NumberText.count(rows.count, "row"))" }

    func document(_ appearance: Appearance) -> Document {
        var document = Document("log of \(title)", .heading)
        if let first = rows.first {
            var table = Table(first.keys.map { Table.Column($0, isNumeric: true) })
            let shown =
                rows.count > 16
                ? Array(0..<4) + Array((rows.count - 10)..<rows.count) : Array(rows.indices)
            for index in shown {
                if index > 0, !shown.contains(index - 1) {
                    table.append(first.keys.map { _ in "…" })
                }
                table.append(
                    first.keys.map { key in
                        switch rows[index][key] ?? .null {
                        case .number(let number): NumberText.significant(number, digits: 4)
                        case .null: ""
                        case let value: value.asText ?? value.summary
                        }
                    })
            }
            document.line(table)
        }
        for remark in remarks { document.line(remark) }
        return document
    }

    /// With the course of its main column as a picture.
    func display(_ appearance: Appearance) -> Display {
        var display = Display(
            appearance, json: { Value.object(self).printedJSON }, document: document(appearance))
        if !rows.isEmpty {
            display.svg = {
                var chart = Chart(
                    [Chart.Series(mainColumn, line(mainColumn).points)], xName: "step")
                chart.yName = LogObject.named([mainColumn])
                return Picture(.chart(chart), title: "\(title): \(mainColumn)").svg
            }
        }
        return display
    }

    /// The column that is drawn unless another one is asked for: the loss, if it is there.
    var mainColumn: String {
        guard let first = rows.first else { return "loss" }
        return first.keys.contains("loss") ? "loss" : first.keys.last ?? "loss"
    }

    /// The name of a vertical axis for columns: "loss, nats". Without a unit that they share it is
    /// the name of a single column, or nil.
    static func named(_ columns: [String]) -> String? {
        let units = Set(columns.map { LogObject.units[$0] ?? "" })
        let name = columns.count == 1 ? columns[0] : nil
        guard units.count == 1, let unit = units.first, !unit.isEmpty else { return name }
        return name.map { "\($0), \(unit)" } ?? unit
    }

    private static let units = [
        "loss": "nats", "mean_loss": "nats", "bound": "nats", "kl": "nats a token",
        "row_accuracy": "share of rows", "column_accuracy": "share of columns",
    ]

    /// A column's numbers over the rows, counted from 1.
    func line(_ column: String) -> (name: String, points: [(x: Double, y: Double)]) {
        let points = rows.enumerated().compactMap { index, row -> (x: Double, y: Double)? in
            row[column]?.asNumber.map { (Double(index + 1), $0) }
        }
        return (column, points)
    }

    var jsonValue: Value { .list(rows.map(Value.record)) }

    func stored() throws -> StoredValue {
        .record(
            StoredRecord([
                ("title", .text(title)),
                ("remarks", .list(remarks.map { .text($0) })),
                ("rows", try Value.list(rows.map(Value.record)).storedObject().value),
            ]))
    }

    static func restored(_ value: StoredValue) throws -> LogObject {
        guard let title = value["title"]?.textValue, let stored = value["rows"],
            case .list(let items) = try Value(stored)
        else { throw StorageError(kind: kind, problem: "a part of it is missing") }
        let rows = items.compactMap { item -> Record? in
            guard case .record(let record) = item else { return nil }
            return Record(
                record.map { (LogObject.presentNames[$0.key] ?? $0.key, $0.value) },
                uniquingKeysWith: { first, _ in first })
        }
        return LogObject(
            title: title, rows: rows,
            remarks: (value["remarks"]?.listValue ?? []).compactMap(\.textValue))
    }

    /// The names of columns that version 0.1 wrote, with the names that other values use.
    private static let presentNames = [
        "row_acc": "row_accuracy", "col_acc": "column_accuracy", "rate": "learning_rate",
    ]

    /// A row for one step of SAMI training, with its iteration if there are several.
    static func row(_ record: TrainRecord, iteration: Int? = nil) -> Record {
        var row = Record()
        if let iteration { row["iteration"] = Value(iteration) }
        row["step"] = Value(record.step)
        row["loss"] = .number(record.loss)
        // Nothing is compared where every query has one constitution.
        if record.contrast.queries > 0 {
            row["bound"] = .number(record.contrast.bound)
            row["row_accuracy"] = .number(record.contrast.rowAccuracy)
            row["column_accuracy"] = .number(record.contrast.columnAccuracy)
        }
        if let divergence = record.divergence { row["kl"] = .number(divergence) }
        row["grad_norm"] = .number(record.gradientNorm)
        row["learning_rate"] = .number(record.learningRate)
        row["tokens"] = Value(record.tokens)
        return row
    }
}
