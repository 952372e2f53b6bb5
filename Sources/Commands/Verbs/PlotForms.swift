import CommandLanguage
import Rendering
import Tensors
import Values

/// The forms that `as=` asks for.
extension Picture {
    init(histogramOf sources: [Source], _ invocation: Invocation) throws {
        let bins = try invocation.integer("bins", atLeast: 1, atMost: 1000)
        var samples: [(name: String, values: [Double])] = []
        if sources.count == 1, let table = NumberColumns(sources[0].value) {
            let drawn = try table.drawn(try Picture.columns(invocation), nil)
            samples = try drawn.map { ($0, try table.values($0, "y", invocation)) }
        } else {
            for source in sources {
                try Picture.refuseColumns(of: source.value, invocation)
                guard let numbers = source.numbers, !numbers.isEmpty else {
                    throw Picture.notNumbers(source, invocation)
                }
                samples.append((source.name, numbers))
            }
        }
        if try invocation.text("log")?.contains("x") == true {
            throw invocation.error(
                "the bins of a histogram have equal widths, so its horizontal axis is linear",
                suggestion: "plot log(…) as=histogram", at: "log")
        }
        let title = samples.map(\.name).joined(separator: ", ")
        let count = samples.reduce(0) { $0 + $1.values.count }
        let left = samples.reduce(0) { $0 + $1.values.count { !$0.isFinite } }
        let chart = Chart.histogram(
            samples, bins: bins,
            xName: left == 0
                ? "value" : "value; \(NumberText.grouped(left)) that are not finite are left out")
        self.init(
            .chart(chart), title: "\(title): \(NumberText.count(count, "number"))")
    }

    init(scatterOf sources: [Source], _ invocation: Invocation) throws {
        if sources.count == 1, let table = NumberColumns(sources[0].value) {
            guard let x = try invocation.text("x") else {
                throw invocation.error(
                    "a scatter needs a column for each axis",
                    suggestion: "for example x=\(table.names.first ?? "a") y="
                        + (table.names.dropFirst().first ?? "b"), at: "as")
            }
            let drawn = try table.drawn(try Picture.columns(invocation), x)
            self.init(
                .chart(try table.chart(drawn, over: x, mark: .points, invocation)),
                title: "\(table.title ?? sources[0].name): \(drawn.joined(separator: ", "))")
            return
        }
        for source in sources { try Picture.refuseColumns(of: source.value, invocation) }
        if sources.count == 1, let tensor = sources[0].value.asTensor, tensor.shape.count == 2,
            tensor.shape[1] == 2
        {
            let values = tensor.values
            let points = (0..<tensor.shape[0]).map {
                (x: Double(values[2 * $0]), y: Double(values[2 * $0 + 1]))
            }
            self.init(
                .chart(
                    Chart(
                        [.init("second column", points, mark: .points)], xName: "first column")),
                title: sources[0].name)
            return
        }
        guard sources.count > 1 else {
            throw invocation.error(
                "a scatter needs numbers for both axes",
                suggestion: "plot X Y as=scatter, or x= and y= of a table", at: "as")
        }
        var vectors: [[Double]] = []
        for source in sources {
            guard let vector = source.vector else {
                throw Picture.notNumbers(source, invocation)
            }
            if let first = vectors.first, first.count != vector.count {
                throw LocatedError(
                    error: EvaluationError.other(
                        "`\(sources[0].shortName)` has \(first.count) numbers and "
                            + "`\(source.shortName)` has \(vector.count); a scatter pairs "
                            + "them one by one"),
                    span: source.argument.span)
            }
            vectors.append(vector)
        }
        let series = zip(sources, vectors).dropFirst().map { source, vector in
            Chart.Series(
                source.name, zip(vectors[0], vector).map { (x: $0, y: $1) }, mark: .points)
        }
        self.init(
            .chart(Chart(series, xName: sources[0].name)),
            title: series.map(\.name).joined(separator: ", ") + " over " + sources[0].name)
    }

    /// Largest number of lines of one matrix.
    private static let mostRows = 64

    init(linesOf sources: [Source], _ invocation: Invocation) throws {
        guard sources.count == 1, NumberColumns(sources[0].value) == nil,
            let tensor = sources[0].value.asTensor, tensor.shape.count == 2, tensor.count > 0
        else {
            if sources.count == 1 {
                try self.init(of: sources[0], invocation)
            } else {
                try self.init(together: sources, invocation)
            }
            return
        }
        try Picture.refuseColumns(of: sources[0].value, invocation)
        let (rows, columns) = (tensor.shape[0], tensor.shape[1])
        guard rows <= Picture.mostRows else {
            throw invocation.error(
                "as=line draws a line for each row, \(Picture.mostRows) at most, and this matrix "
                    + "has \(NumberText.grouped(rows))",
                suggestion: "a slice chooses rows: [0:8]", at: "as")
        }
        let values = tensor.values
        self.init(
            .chart(
                Picture.lines(
                    (0..<rows).map { row in
                        (
                            "row \(row)",
                            values[row * columns..<(row + 1) * columns].map { Double($0) }
                        )
                    })),
            title: sources[0].name)
    }
}
