import CommandLanguage
import Rendering
import Values

extension Picture {
    /// The picture of the value in the argument `value`.
    ///
    /// - Parameter column: the column of a log; nil takes its loss.
    init(_ value: Value, column: String?, title: String?, _ invocation: Invocation) throws {
        let name = invocation.written("value") ?? value.kind
        if let log = value.object(LogObject.self) {
            self.init(
                .lines([try Picture.line(log, column, invocation)]),
                title: title ?? "\(log.title): \(column ?? log.mainColumn)")
            return
        }
        if let logprobs = value.object(LogprobsObject.self), let first = logprobs.scores.first {
            self.init(
                .matrix(
                    rows: first.scores.constitutions, columns: first.scores.responses,
                    values: first.scores.values),
                title: (title ?? name)
                    + (logprobs.scores.count > 1 ? " [0] of \(logprobs.scores.count)" : ""))
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
        let content: Content
        switch tensor.shape.count {
        case 1:
            content = .lines([(name, values.enumerated().map { (Double($0.offset), $0.element) })])
        default:
            let columns = tensor.shape[tensor.shape.count - 1]
            let rows = tensor.shape[tensor.shape.count - 2]
            content = .matrix(
                rows: rows, columns: columns, values: Array(values.prefix(rows * columns)))
        }
        let leading = tensor.shape.dropLast(2)
        var place = ""
        if leading.reduce(1, *) > 1 {
            place =
                " [" + leading.map { _ in "0" }.joined(separator: ", ") + "] of "
                + TensorText.shape(Array(leading))
        }
        self.init(content, title: (title ?? name) + place)
    }

    private static func line(
        _ log: LogObject, _ column: String?, _ invocation: Invocation
    ) throws -> (name: String, points: [(x: Double, y: Double)]) {
        let column = column ?? log.mainColumn
        let names = log.rows.first.map { Array($0.keys) } ?? []
        guard names.contains(column) else {
            throw invocation.located(
                EvaluationError.unknownField(
                    column, owner: "this log", nearest: nil, fields: names),
                at: "y")
        }
        return log.line(column)
    }
}
