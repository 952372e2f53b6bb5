import CommandLanguage
import Rendering
import Values

/// A log, a list of records or a record of lists, as columns of numbers.
struct NumberColumns {
    private(set) var title: String?
    /// The name of a row's number.
    private var rowName = "row"
    private var first = 0
    private var main: String?
    private var isLog = false
    private var columns: [(name: String, values: [Double])] = []

    /// Nil for a value that is no table with a column of numbers.
    init?(_ value: Value) {
        switch value {
        case .object(let object):
            guard let log = object as? LogObject, !log.rows.isEmpty else { return nil }
            (title, rowName, first, main) = (log.title, "step", 1, log.mainColumn)
            isLog = true
            take(log.rows)
        case .list(let items):
            let rows = items.compactMap { item -> Record? in
                if case .record(let record) = item { record } else { nil }
            }
            guard !rows.isEmpty, rows.count == items.count else { return nil }
            take(rows)
        case .record(let record):
            for (name, value) in record {
                switch value {
                case .list(let items):
                    // A list of texts is no column of numbers, and stands in no other's way.
                    let numbers = items.compactMap(\.asNumber)
                    if numbers.count == items.count { columns.append((name, numbers)) }
                case .tensor(let tensor) where tensor.shape.count == 1:
                    columns.append((name, tensor.values.map { Double($0) }))
                default: return nil
                }
            }
            guard Set(columns.map(\.values.count)).count == 1 else { return nil }
        default: return nil
        }
        if columns.isEmpty { return nil }
    }

    /// A row without a number in a column leaves a gap.
    private mutating func take(_ rows: [Record]) {
        for name in rows.first.map({ Array($0.keys) }) ?? [] {
            let values = rows.map { $0[name]?.asNumber }
            if values.contains(where: { $0 != nil }) {
                columns.append((name, values.map { $0 ?? .nan }))
            }
        }
    }

    var names: [String] { columns.map(\.name) }

    /// The columns to draw.
    func drawn(_ y: [String]?, _ x: String?) throws -> [String] {
        if let y { return y }
        if let main { return [main] }
        return names.filter { $0 != x }
    }

    func chart(
        _ names: [String], over x: String?, mark: Chart.Mark, _ invocation: Invocation
    ) throws -> Chart {
        let across = try x.map { try values($0, "x", invocation) }
        let series = try names.map { name in
            let values = try values(name, "y", invocation)
            let places = across ?? values.indices.map { Double($0 + first) }
            let points = zip(places, values).map { (x: $0, y: $1) }
            // A line runs from left to right.
            return Chart.Series(
                name, across == nil ? points : points.sorted { $0.x < $1.x }, mark: mark)
        }
        return Chart(
            series, xName: x ?? rowName,
            yName: isLog ? LogObject.named(names) : nil)
    }

    func values(
        _ name: String, _ role: String, _ invocation: Invocation
    ) throws -> [Double] {
        guard let column = columns.first(where: { $0.name == name }) else {
            throw invocation.located(
                EvaluationError.unknownField(
                    name, owner: "this table", nearest: nearest(name, in: names), fields: names),
                at: role)
        }
        return column.values
    }
}
