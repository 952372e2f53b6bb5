import CommandLanguage
import Rendering
import Tensors
import Values

extension Picture {
    /// One value to draw, as the user wrote it.
    struct Source {
        var name: String
        var value: Value
        var argument: Argument

        /// The numbers of a list, of a record, or of a tensor of any shape, in order; nil for other
        /// values.
        var numbers: [Double]? {
            let items: [Value] =
                switch value {
                case .list(let items): items
                case .record(let record): Array(record.values)
                default: []
                }
            let numbers = items.compactMap(\.asNumber)
            if !items.isEmpty, numbers.count == items.count { return numbers }
            return value.asTensor.map { $0.values.map { Double($0) } }
        }

        /// The name in a sentence.
        var shortName: String { TextWidth.cut(name, to: 40) }

        /// The numbers of a value with one axis.
        var vector: [Double]? {
            guard (value.asTensor?.shape.count ?? 1) == 1, let numbers, !numbers.isEmpty else {
                return nil
            }
            return numbers
        }
    }

    /// The picture of one or several values, with the options of `plot`.
    init(_ sources: [Source], _ invocation: Invocation) throws {
        let form = try invocation.word("as", PictureForm.self)
        if invocation.has("bins"), form != .histogram {
            throw invocation.error("`bins` belongs to as=histogram", at: "bins")
        }
        switch form {
        case .histogram: try self.init(histogramOf: sources, invocation)
        case .scatter: try self.init(scatterOf: sources, invocation)
        case .line: try self.init(linesOf: sources, invocation)
        case nil where sources.count == 1: try self.init(of: sources[0], invocation)
        case nil: try self.init(together: sources, invocation)
        }
        try name(invocation)
    }

    // MARK: One value

    /// The picture that a value suggests: of the options only `x` and `y` count.
    init(of source: Source, _ invocation: Invocation) throws {
        let (name, value) = (source.name, source.value)
        let x = try invocation.text("x")
        if let table = NumberColumns(value) {
            let drawn = try table.drawn(try Picture.columns(invocation), x)
            self.init(
                .chart(try table.chart(drawn, over: x, mark: .line, invocation)),
                title: "\(table.title ?? name): \(drawn.joined(separator: ", "))")
            return
        }
        try Picture.refuseColumns(of: value, invocation)
        if let verdicts = value.object(VerdictsObject.self) {
            guard let picture = verdicts.picture else {
                throw invocation.error("no comparison was judged, so there is no rate", at: "value")
            }
            self = picture
            return
        }
        let logprobs =
            value.object(LogprobsObject.self) ?? value.object(ScoreMatrixObject.self)?.logprobs
        if let logprobs, !logprobs.scores.isEmpty {
            var maps = logprobs.scores.indices.map(logprobs.heatMap)
            if maps.count == 1 { maps[0].title = "" }
            self.init(.matrices(maps), title: "\(name): S, \(logprobs.unit)")
            return
        }
        if let vector = source.vector {
            self.init(.chart(Picture.lines([(name, vector)])), title: name)
            return
        }
        var whole = value
        if case .record(let record) = value { whole = .list(Array(record.values)) }
        guard let tensor = whole.asTensor, tensor.count > 0, !tensor.shape.isEmpty else {
            throw Picture.notNumbers(source, invocation)
        }
        guard tensor.shape.count > 1 else {
            let values = tensor.values.map { Double($0) }
            self.init(.chart(Picture.lines([(name, values)])), title: name)
            return
        }
        self.init(.matrices(Picture.maps(tensor)), title: name)
    }

    // MARK: Several values

    init(together sources: [Source], _ invocation: Invocation) throws {
        for source in sources { try Picture.refuseColumns(of: source.value, invocation) }
        let vectors = sources.compactMap { source in source.vector.map { (source.name, $0) } }
        let title = sources.map(\.name).joined(separator: ", ")
        if vectors.count == sources.count {
            self.init(.chart(Picture.lines(vectors)), title: title)
            return
        }
        var maps: [HeatMap] = []
        for source in sources {
            guard var own = Picture.maps(of: source.value) else {
                if source.vector != nil { continue }
                throw Picture.notNumbers(source, invocation)
            }
            for index in own.indices {
                own[index].title = own.count == 1 ? source.name : source.name + own[index].title
            }
            maps += own
        }
        if let vector = sources.first(where: { $0.vector != nil }) {
            throw LocatedError(
                error: EvaluationError.other(
                    "lines and matrices do not fit into one picture",
                    suggestion: "plot them one by one"),
                span: vector.argument.span)
        }
        self.init(.matrices(maps), title: title)
    }

    // MARK: Parts

    static func lines(_ vectors: [(name: String, values: [Double])]) -> Chart {
        Chart(
            vectors.map { name, values in
                Chart.Series(name, values.enumerated().map { (Double($0.offset), $0.element) })
            }, xName: "index")
    }

    /// The matrices of a value, S of each query among them; nil for a value that holds none.
    private static func maps(of value: Value) -> [HeatMap]? {
        let logprobs =
            value.object(LogprobsObject.self) ?? value.object(ScoreMatrixObject.self)?.logprobs
        if let logprobs, !logprobs.scores.isEmpty {
            return logprobs.scores.indices.map { index in
                var map = logprobs.heatMap(of: index)
                map.title = "[\(index)] " + map.title
                return map
            }
        }
        guard let tensor = value.asTensor, tensor.count > 0, tensor.shape.count > 1 else {
            return nil
        }
        return maps(tensor)
    }

    /// The matrices of the last two axes, each with its place along the others.
    static func maps(_ tensor: Tensor) -> [HeatMap] {
        let (shape, values) = (tensor.shape, tensor.values.map { Double($0) })
        let (rows, columns) = (shape[shape.count - 2], shape[shape.count - 1])
        let leading = shape.dropLast(2)
        return (0..<leading.reduce(1, *)).map { index in
            var map = HeatMap(
                rows: rows, columns: columns,
                values: Array(values[index * rows * columns..<(index + 1) * rows * columns]),
                marksDiagonal: false, rowLabel: "", columnLabel: "")
            (map.rowName, map.columnName) = ("row", "column")
            var (place, rest) = ([Int](), index)
            for side in leading.reversed() {
                place.insert(rest % side, at: 0)
                rest /= side
            }
            if !place.isEmpty { map.title = "\(place)" }
            return map
        }
    }

    /// The columns of `y`: one word, several with commas, or a list of texts.
    static func columns(_ invocation: Invocation) throws -> [String]? {
        switch try invocation.value("y") {
        case nil: return nil
        case .text(let text)?: return text.split(separator: ",").map(String.init)
        case .list(let items)? where items.allSatisfy({ $0.asText != nil }):
            return items.compactMap(\.asText)
        case let other?:
            throw invocation.error(
                "`y` names columns, and this is \(other.aKind)",
                suggestion: "for example y=loss,kl",
                at: "y")
        }
    }

    static func refuseColumns(of value: Value, _ invocation: Invocation) throws {
        for role in ["x", "y"] where invocation.has(role) {
            throw invocation.located(
                EvaluationError.other(
                    "`\(role)` names a column of a log or of a list of records, not of "
                        + value.aKind),
                at: role)
        }
    }

    static func notNumbers(_ source: Source, _ invocation: Invocation) -> LocatedError {
        LocatedError(
            error: EvaluationError.wrongKind(
                role: "what is plotted", expected: "numbers, a matrix, a log or verdicts",
                found: source.value.aKind),
            span: source.argument.span)
    }
}
