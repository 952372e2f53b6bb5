import Tensors

/// Numbers that can be drawn: lines over a common axis, or a matrix.
struct Picture {
    enum Content {
        case lines([(name: String, points: [(x: Double, y: Double)])])
        case matrix(rows: Int, columns: Int, values: [Double])
    }

    var content: Content
    var title: String

    init(_ value: Value, column: String?, title: String?, _ invocation: Invocation) throws {
        let name = invocation.written("value") ?? value.kind
        self.title = title ?? name
        if let log = value.noun(LogNoun.self) {
            content = .lines([try Picture.line(log, column, invocation)])
            if title == nil { self.title = "\(log.title): \(column ?? Picture.mainColumn(log))" }
            return
        }
        if let logprobs = value.noun(LogprobsNoun.self), let first = logprobs.scores.first {
            content = .matrix(
                rows: first.scores.constitutions, columns: first.scores.responses,
                values: first.scores.values)
            return
        }
        var value = value
        if case .record(let record) = value { value = .list(Array(record.values)) }
        guard let tensor = value.asTensor, tensor.count > 0, !tensor.shape.isEmpty else {
            throw invocation.complaint(
                Complaint.wrongKind(
                    role: "what is plotted", expected: "numbers, a matrix or a log",
                    found: value.aKind),
                at: "value")
        }
        let values = tensor.values.map { Double($0) }
        switch tensor.shape.count {
        case 1:
            content = .lines([(name, values.enumerated().map { (Double($0.offset), $0.element) })])
        default:
            let columns = tensor.shape[tensor.shape.count - 1]
            let rows = tensor.shape[tensor.shape.count - 2]
            content = .matrix(
                rows: rows, columns: columns, values: Array(values.prefix(rows * columns)))
        }
    }

    private static func mainColumn(_ log: LogNoun) -> String {
        guard let first = log.rows.first else { return "loss" }
        return first.keys.contains("loss") ? "loss" : first.keys.last ?? "loss"
    }

    private static func line(
        _ log: LogNoun, _ column: String?, _ invocation: Invocation
    ) throws -> (name: String, points: [(x: Double, y: Double)]) {
        let column = column ?? mainColumn(log)
        let names = log.rows.first.map { Array($0.keys) } ?? []
        guard names.contains(column) else {
            throw invocation.complaint(
                Complaint.unknownField(column, owner: "this log", nearest: nil, fields: names),
                at: "y")
        }
        let points = log.rows.enumerated().compactMap { index, row -> (x: Double, y: Double)? in
            row[column]?.asNumber.map { (Double(index + 1), $0) }
        }
        return (column, points)
    }

    func drawn(_ appearance: Appearance) -> StyledText {
        var text = StyledText(title, .heading)
        switch content {
        case .matrix(let rows, let columns, let values):
            text.line(
                HeatMap(
                    rows: rows, columns: columns, values: values, marksDiagonal: false,
                    rowLabel: "", columnLabel: ""
                ).drawn(appearance))
        case .lines(let lines):
            for line in lines { text.line(Picture.drawn(line.points, appearance)) }
        }
        return text
    }

    /// A line of dots, fifteen rows high, with the range of both axes.
    private static func drawn(
        _ points: [(x: Double, y: Double)], _ appearance: Appearance
    ) -> StyledText {
        let points = points.filter { $0.x.isFinite && $0.y.isFinite }
        guard let first = points.first else { return StyledText("no finite values", .faint) }
        var (low, high) = (first.y, first.y)
        var (left, right) = (first.x, first.x)
        for point in points {
            low = min(low, point.y)
            high = max(high, point.y)
            left = min(left, point.x)
            right = max(right, point.x)
        }
        let height = 12
        let labels = [high, low].map { NumberText.significant($0, digits: 4) }
        let margin = (labels.map(TextWidth.of).max() ?? 0) + 2
        let width = max(8, min(100, appearance.columns - margin - 1))
        var grid = [[Character]](
            repeating: [Character](repeating: " ", count: width), count: height)
        let dot: Character = appearance.isUnicode ? "•" : "*"
        for point in points {
            let x = right > left ? (point.x - left) / (right - left) : 0
            let y = high > low ? (point.y - low) / (high - low) : 0.5
            let column = min(width - 1, max(0, Int((x * Double(width - 1)).rounded())))
            let row = min(height - 1, max(0, Int(((1 - y) * Double(height - 1)).rounded())))
            grid[row][column] = dot
        }
        var text = StyledText()
        let bar = appearance.isUnicode ? "│" : "|"
        for (row, cells) in grid.enumerated() {
            let label = row == 0 ? labels[0] : row == height - 1 ? labels[1] : ""
            text.line(TextWidth.padded(label, to: margin - 1, onLeft: true) + bar, .faint)
            text.append(String(cells), Style(foreground: .cyan))
        }
        let start = NumberText.significant(left, digits: 4)
        let end = NumberText.significant(right, digits: 4)
        text.line(
            String(repeating: " ", count: margin) + start
                + TextWidth.padded(end, to: max(1, width - TextWidth.of(start)), onLeft: true),
            .faint)
        return text
    }
}
