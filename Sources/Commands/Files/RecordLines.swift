import Alignment
import DataFiles
import Foundation
import JSON
import Values

/// The records that a verb reads, each with its place for messages: the lines of a JSON Lines file,
/// the rows of a `.csv` file, the items of a `.json` list, or records that a person typed.
struct RecordLines {
    struct Line {
        /// The line of the file, from 1; of other sources the place in the list, from 0.
        var number: Int
        var record: Record
        /// The record in its original form: ids that are numbers keep all their digits.
        var json: JSON
    }

    enum Source: Equatable {
        case lines, list
        /// Records of the language, and the form in which one is typed.
        case typed(form: String)
    }

    /// The file as the user wrote it, or the name of the argument.
    let shown: String
    let source: Source
    var lines: [Line] = []

    /// The records of a file in the format that its name gives; JSON Lines for other names, unless
    /// the text is a list. A gzip file is decompressed first.
    init(_ packed: Data, shown: String) throws(EvaluationError) {
        self.shown = shown
        let data = try FileReading.unpacked(packed, shown: shown)
        switch FileReading.format(of: shown) {
        case "csv":
            source = .lines
            let table = try CSVTable(data, shown: shown)
            lines = table.rows.map { row in
                let json = JSON.object(
                    zip(table.names, row.cells).map { .init($0, JSON($1)) })
                return Line(number: row.line, record: Record(members: json), json: json)
            }
        case "json":
            (source, lines) = try RecordLines.ofDocument(data, shown)
        case _ where RecordLines.isList(data):
            (source, lines) = try RecordLines.ofDocument(data, shown)
        default:
            source = .lines
            lines = try RecordLines.records(of: RecordLines.lines(data, shown: shown), shown)
        }
        guard !lines.isEmpty else { throw .emptyFile(shown) }
    }

    /// Records that a person typed: one, or a list of them. Nil for any other value.
    ///
    /// - Parameter form: a record as it should be.
    init?(typed value: Value, as name: String, form: String) throws(EvaluationError) {
        shown = name
        source = .typed(form: form)
        let items: [Value]
        switch value {
        case .record: items = [value]
        case .list(let list) where !list.isEmpty: items = list
        default: return nil
        }
        for (number, item) in items.enumerated() {
            var plain = item
            if case .object(let object) = item { plain = object.jsonValue }
            guard case .record(let record) = plain, let json = try? JSON.read(plain.json) else {
                throw bad(number, "a record was expected, not \(item.aKind)")
            }
            lines.append(Line(number: number, record: record, json: json))
        }
    }

    /// A `.json` file: a list of records, or one record a line under the wrong name.
    private static func ofDocument(
        _ data: Data, _ shown: String
    ) throws(EvaluationError) -> (Source, [Line]) {
        let document: JSON
        do throws(JSON.Problem) {
            document = try JSON.read(data, repairs: [.loneSurrogates, .repeatedKeys])
        } catch {
            // JSON Lines under this name.
            guard error.fault == .textAfterEnd,
                let lines = try? RecordLines.lines(data, shown: shown)
            else { throw .badFile(path: shown, problem: "\(error)") }
            return (.lines, try records(of: lines, shown))
        }
        let items = (document.elements ?? [document]).enumerated()
        return (
            .list,
            try items.map { (number, json) throws(EvaluationError) in
                try line(number, json) {
                    .badFile(path: shown, problem: "item \(number): \($0)")
                }
            }
        )
    }

    /// Whether the first character opens a list, as in a `.json` file under another name.
    private static func isList(_ data: Data) -> Bool {
        let blanks: Set<UInt8> = [0x20, 0x09, 0x0A, 0x0D, 0xEF, 0xBB, 0xBF]
        return data.first { !blanks.contains($0) } == UInt8(ascii: "[")
    }

    private static func records(
        of lines: [(number: Int, json: JSON)], _ shown: String
    ) throws(EvaluationError) -> [Line] {
        try lines.map { (number, json) throws(EvaluationError) in
            try line(number, json) { .badLine(path: shown, line: number, problem: $0) }
        }
    }

    private static func line(
        _ number: Int, _ json: JSON, _ bad: (String) -> EvaluationError
    ) throws(EvaluationError) -> Line {
        guard json.members != nil else {
            throw bad("a record in braces was expected, not \(Value(json).aKind)")
        }
        return Line(number: number, record: Record(members: json), json: json)
    }

    /// The JSON value of each line that is not blank, with its number from 1.
    static func lines(
        _ data: Data, shown: String
    ) throws(EvaluationError) -> [(number: Int, json: JSON)] {
        let bytes = [UInt8](data)
        var lines: [(number: Int, json: JSON)] = []
        var number = 0
        var start = bytes.startIndex
        while start < bytes.endIndex {
            let end = bytes[start...].firstIndex(of: 0x0A) ?? bytes.endIndex
            number += 1
            let line = bytes[start..<end]
            start = end + 1
            guard line.contains(where: { $0 != 0x20 && $0 != 0x09 && $0 != 0x0D }) else { continue }
            do throws(JSON.Problem) {
                lines.append(
                    (number, try JSON.read(line, repairs: [.loneSurrogates, .repeatedKeys])))
            } catch {
                throw .badLine(
                    path: shown, line: number, problem: "\(error.fault) (column \(error.column))")
            }
        }
        guard !lines.isEmpty else { throw .emptyFile(shown) }
        return lines
    }

    // MARK: Messages

    func bad(_ line: Line, _ problem: String) -> EvaluationError { bad(line.number, problem) }

    private func bad(_ number: Int, _ problem: String) -> EvaluationError {
        switch source {
        case .lines: .badLine(path: shown, line: number, problem: problem)
        case .list: .badFile(path: shown, problem: "item \(number): \(problem)")
        case .typed(let form):
            .other("item \(number) of \(shown): \(problem)", suggestion: "the form is \(form)")
        }
    }

    // MARK: Fields

    /// An id, which may be a text or a number; nil if the field is missing or null.
    func id(_ key: String, _ line: Line) throws(EvaluationError) -> QueryID? {
        switch line.json[key] {
        case nil, .null: return nil
        case .string(let text): return QueryID(text)
        case .number(let digits):
            return QueryID(line.json[key]?.integer.map { String($0) } ?? digits)
        case let other?:
            throw bad(line, "`\(key)` must be text or a number, not \(Value(other).aKind)")
        }
    }

    /// A field; nil if it is missing or null. Tables written as JSON Lines have null for the
    /// columns that a record lacks.
    private func field(_ key: String, _ line: Line) -> Value? {
        guard let value = line.record[key] else { return nil }
        if case .null = value { return nil }
        return value
    }

    /// The text of a field; nil if the field is missing.
    func text(_ key: String, _ line: Line) throws(EvaluationError) -> String? {
        guard let value = field(key, line) else { return nil }
        guard case .text(let text) = value else {
            throw bad(line, "`\(key)` must be text, not \(value.aKind)")
        }
        return text
    }

    /// A list of texts; nil if the field is missing.
    func texts(_ key: String, _ line: Line) throws(EvaluationError) -> [String]? {
        guard let value = field(key, line) else { return nil }
        guard case .list(let items) = value else {
            throw bad(line, "`\(key)` must be a list of texts, not \(value.aKind)")
        }
        var texts: [String] = []
        for item in items {
            guard case .text(let text) = item else {
                throw bad(line, "each item of `\(key)` must be text, not \(item.aKind)")
            }
            texts.append(text)
        }
        return texts
    }
}

extension Record {
    fileprivate init(members json: JSON) {
        guard case .record(let record) = Value(json) else {
            self.init()
            return
        }
        self = record
    }
}

extension JSON {
    /// The value of a cell; numbers keep their digits.
    fileprivate init(_ cell: CSV.Cell) {
        switch cell.meaning {
        case .null: self = .null
        case .bool(let truth): self = .bool(truth)
        case .number(let number): self = Int(cell.text).map(JSON.integer) ?? .double(number)
        case .longNumber(let digits): self = .number(digits)
        case .text(let text): self = .string(text)
        }
    }
}

extension Invocation {
    /// The records of a file. The journal records the file.
    func records(_ role: String) throws -> RecordLines {
        guard let shown = try text(role) else { throw missing(role) }
        return try records(at: shown, role: role)
    }

    /// The same for a path from the argument named `role`.
    func records(at path: String, role: String) throws -> RecordLines {
        let (data, shown) = try file(at: path, role: role)
        do {
            return try RecordLines(data, shown: shown)
        } catch {
            throw located(error, at: role)
        }
    }
}
