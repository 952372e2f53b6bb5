import CommandLanguage
import Rendering
import Values

extension Picture {
    /// The picture of the value in the argument `value`.
    ///
    /// - Parameters:
    ///   - x: the column of a table for the horizontal axis; nil counts its rows.
    ///   - y: the columns to draw; nil draws a log's loss, or every column of
    ///     numbers.
    init(
        _ value: Value, x: String? = nil, y: [String]? = nil, title: String?,
        _ invocation: Invocation
    ) throws {
        let name = invocation.written("value") ?? value.kind
        if let table = NumberColumns(value) {
            let drawn = try table.drawn(y, x, invocation)
            self.init(
                .lines(try table.lines(drawn, over: x, invocation)),
                title: title
                    ?? "\(table.title ?? name): \(drawn.joined(separator: ", "))",
                xName: x ?? table.rowName)
            return
        }
        for (role, isGiven) in [("x", x != nil), ("y", y != nil)] where isGiven {
            throw invocation.located(
                EvaluationError.other(
                    "`\(role)` names a column of a log or of a list of records, not of "
                        + value.aKind),
                at: role)
        }
        let logprobs =
            value.object(LogprobsObject.self) ?? value.object(ScoreMatrixObject.self)?.logprobs
        if let logprobs, !logprobs.scores.isEmpty {
            var maps = logprobs.scores.indices.map(logprobs.heatMap)
            if maps.count == 1 { maps[0].title = "" }
            self.init(.matrices(maps), title: title ?? "\(name): S, \(logprobs.unit)")
            return
        }
        var value = value
        if case .record(let record) = value { value = .list(Array(record.values)) }
        guard let tensor = value.asTensor, tensor.count > 0, !tensor.shape.isEmpty else {
            throw invocation.located(
                EvaluationError.wrongKind(
                    role: "what is plotted", expected: "numbers, a matrix or a log",
                    found: value.aKind),
                at: "value")
        }
        let values = tensor.values.map { Double($0) }
        guard tensor.shape.count > 1 else {
            self.init(
                .lines([(name, values.enumerated().map { (Double($0.offset), $0.element) })]),
                title: title ?? name)
            return
        }
        self.init(.matrices(Picture.maps(tensor.shape, values)), title: title ?? name)
    }

    /// The matrices of the last two axes, each with its place along the others.
    private static func maps(_ shape: [Int], _ values: [Double]) -> [HeatMap] {
        let (rows, columns) = (shape[shape.count - 2], shape[shape.count - 1])
        let leading = shape.dropLast(2)
        return (0..<leading.reduce(1, *)).map { index in
            var map = HeatMap(
                rows: rows, columns: columns,
                values: Array(values[index * rows * columns..<(index + 1) * rows * columns]),
                marksDiagonal: false, rowLabel: "", columnLabel: "")
            var (place, rest) = ([Int](), index)
            for side in leading.reversed() {
                place.insert(rest % side, at: 0)
                rest /= side
            }
            if !place.isEmpty { map.title = "\(place)" }
            return map
        }
    }
}

/// A log, a list of records or a record of lists, as columns of numbers.
private struct NumberColumns {
    var title: String?
    /// The name of a row's number.
    var rowName: String
    var first = 0
    var main: String?
    private var columns: [(name: String, values: [Double])] = []

    /// Nil for a value that is no table with a column of numbers.
    init?(_ value: Value) {
        rowName = "row"
        switch value {
        case .object(let object):
            guard let log = object as? LogObject, !log.rows.isEmpty else { return nil }
            (title, rowName, first, main) = (log.title, "step", 1, log.mainColumn)
            take(log.rows)
        case .list(let items):
            let rows = items.compactMap { item -> Record? in
                if case .record(let record) = item { record } else { nil }
            }
            guard !rows.isEmpty, rows.count == items.count else { return nil }
            take(rows)
        case .record(let record):
            for (name, value) in record {
                guard case .list(let items) = value else { return nil }
                let numbers = items.compactMap(\.asNumber)
                if numbers.count == items.count { columns.append((name, numbers)) }
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

    /// The columns to draw.
    func drawn(_ y: [String]?, _ x: String?, _ invocation: Invocation) throws -> [String] {
        if let y { return y }
        if let main { return [main] }
        return columns.map(\.name).filter { $0 != x }
    }

    func lines(
        _ names: [String], over x: String?, _ invocation: Invocation
    ) throws -> [(name: String, points: [(x: Double, y: Double)])] {
        let across = try x.map { try values($0, "x", invocation) }
        return try names.map { name in
            let values = try values(name, "y", invocation)
            let places = across ?? values.indices.map { Double($0 + first) }
            let points = zip(places, values).map { (x: $0, y: $1) }
            // A line runs from left to right.
            return (name, across == nil ? points : points.sorted { $0.x < $1.x })
        }
    }

    private func values(
        _ name: String, _ role: String, _ invocation: Invocation
    ) throws -> [Double] {
        guard let column = columns.first(where: { $0.name == name }) else {
            let names = columns.map(\.name)
            throw invocation.located(
                EvaluationError.unknownField(
                    name, owner: "this table", nearest: nearest(name, in: names), fields: names),
                at: role)
        }
        return column.values
    }
}
