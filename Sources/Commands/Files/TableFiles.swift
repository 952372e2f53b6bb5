import DataFiles
import Foundation
import HDF5Objects
import JSON
import Rendering
import Values

/// A list of records of a file that a user names: `.csv`, `.json`, `.jsonl`, or `.h5` as `export`
/// writes it.
struct TableFile {
    /// Records, or for `.json` and `.h5` whatever value the file holds.
    let value: Value
    /// The fields in which whole numbers were kept as text, because a double would round them.
    let longNumbers: [String]

    static let extensions = ["csv", "json", "jsonl", "h5"]

    init(_ path: String, shown: String) throws {
        var reading = PlainReading()
        switch FileReading.format(of: shown) {
        case "csv":
            let table = try CSVTable(
                FileReading.unpacked(FileReading.data(path, shown: shown), shown: shown),
                shown: shown)
            value = .list(table.rows.map { reading.record(table.names, $0.cells) })
        case "json":
            let bytes = try FileReading.unpacked(
                FileReading.data(path, shown: shown), shown: shown)
            do throws(JSON.Problem) {
                value = reading.value(try JSON.read(bytes, repairs: [.loneSurrogates]), "")
            } catch {
                throw EvaluationError.badFile(path: shown, problem: "\(error)")
            }
        case "jsonl":
            let lines = try RecordLines.lines(
                FileReading.unpacked(FileReading.data(path, shown: shown), shown: shown),
                shown: shown)
            value = .list(lines.map { reading.value($0.json, "") })
        case "h5":
            _ = try FileReading.size(path, shown: shown)
            do {
                value = try Value(try StoredObject(contentsOf: path).value)
            } catch ObjectError.fileDamaged(_, let fault) {
                throw EvaluationError.badFile(path: shown, problem: "\(fault)")
            }
        case let other: throw TableFile.unknown(other)
        }
        longNumbers = reading.longNumbers
    }

    private static func unknown(_ name: String) -> EvaluationError {
        switch name {
        case "parquet":
            .other(
                "Parquet is not read",
                suggestion: "pandas.read_parquet(…).to_json(…, orient=\"records\") writes .json")
        case "txt": .other("a table is not read from `.txt`", suggestion: "use `load text`")
        case "npy", "safetensors":
            .other("a table is not read from `.\(name)`", suggestion: "use `load tensor`")
        case "": .other("the file name has no extension to give the format", suggestion: known)
        default: .other("a table is not read from `.\(name)`", suggestion: known)
        }
    }

    private static var known: String {
        "use " + Sentence.alternatives(extensions.map { "." + $0 })
    }
}

/// Plain values of a file, in which no whole number is rounded: two ids that differ stay different.
private struct PlainReading {
    private(set) var longNumbers: [String] = []

    mutating func value(_ json: JSON, _ field: String) -> Value {
        switch json {
        case .number(let digits):
            if CSV.isInexact(digits) { return long(digits, field) }
            return Value(json)
        case .array(let items): return .list(items.map { value($0, field) })
        case .object(let members):
            var record = Record()
            for member in members { record[member.key] = value(member.value, member.key) }
            return .record(record)
        default: return Value(json)
        }
    }

    /// - Parameter cells: as many as names, which differ.
    mutating func record(_ names: [String], _ cells: [CSV.Cell]) -> Value {
        var values: [Value] = []
        values.reserveCapacity(cells.count)
        for (place, cell) in cells.enumerated() {
            switch cell.meaning {
            case .null: values.append(.null)
            case .bool(let truth): values.append(.bool(truth))
            case .number(let number): values.append(.number(number))
            case .longNumber(let digits): values.append(long(digits, names[place]))
            case .text(let text): values.append(.text(text))
            }
        }
        return Value(fields: names, values)
    }

    private mutating func long(_ digits: String, _ field: String) -> Value {
        let name = field.isEmpty ? "the list" : field
        if !longNumbers.contains(name) { longNumbers.append(name) }
        return .text(digits)
    }
}

extension CSV.Cell {
    fileprivate var isNumber: Bool {
        switch meaning {
        case .number, .longNumber: true
        default: false
        }
    }
}

/// The rows of a `.csv` file under the names of its first row.
struct CSVTable {
    /// The names of the columns, which differ.
    let names: [String]
    /// As many cells as names in each.
    var rows: [CSV.Row] = []

    init(_ data: Data, shown: String) throws(EvaluationError) {
        var reader = CSV.Reader([UInt8](data))
        guard let first = try CSVTable.next(&reader, shown) else { throw .emptyFile(shown) }
        // Numbers alone are no names: the file has no first row of names, as of `export [1, 2]`.
        if first.cells.allSatisfy(\.isNumber) {
            names = first.cells.indices.map { "column\($0)" }
            rows.append(first)
        } else {
            names = try CSVTable.names(first, shown)
            if case .bare(let name) = first.cells[0], names.count == 1,
                let separator = [";": "semicolons", "\t": "tabs"].first(where: {
                    name.contains($0.key)
                })
            {
                throw .badLine(
                    path: shown, line: first.line,
                    problem: "its columns are separated by \(separator.value), and commas are "
                        + "read; save it as comma-separated values")
            }
        }
        while let row = try CSVTable.next(&reader, shown) {
            guard row.cells.count == names.count else {
                throw .badLine(
                    path: shown, line: row.line,
                    problem: "it has \(NumberText.count(row.cells.count, "cell")), and the "
                        + "first line names \(NumberText.count(names.count, "column"))")
            }
            rows.append(row)
            guard rows.count <= Limits.listCount else { throw .tooLong(rows.count) }
        }
    }

    private static func next(
        _ reader: inout CSV.Reader, _ shown: String
    ) throws(EvaluationError) -> CSV.Row? {
        do throws(CSV.Fault) {
            return try reader.next()
        } catch {
            throw .badLine(path: shown, line: error.line, problem: "\(error)")
        }
    }

    /// The names of the columns. A column without a name, as pandas writes its index, gets its
    /// place.
    private static func names(_ row: CSV.Row, _ shown: String) throws(EvaluationError) -> [String] {
        var names: [String] = []
        var known: Set<String> = []
        for (column, cell) in row.cells.enumerated() {
            let name = cell.text.isEmpty ? "column\(column)" : cell.text
            guard known.insert(name).inserted else {
                throw .badLine(
                    path: shown, line: row.line,
                    problem: "two columns are called \(Value.text(name).summary)")
            }
            names.append(name)
        }
        return names
    }
}
