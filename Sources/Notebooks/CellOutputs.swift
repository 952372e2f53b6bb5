import JSON
import Rendering
import Sessions

/// The outputs of one cell, collected from the events of its statements.
///
/// A display of a statement is a `display_data`; the last one of the cell is its
/// `execute_result`, if the statement has a value. Source: the message format of Jupyter, 5.4.
struct CellOutputs {
    private(set) var outputs: [JSON] = []
    /// The place of the last display, and whether it shows the value of its statement.
    private var last: (place: Int, isValue: Bool)?

    mutating func take(_ display: Display) {
        let text = display.text().plain
        guard !text.isEmpty || display.svg != nil else { return }
        last = (outputs.count, false)
        outputs.append([
            "output_type": "display_data", "metadata": [:], "data": CellOutputs.data(display),
        ])
    }

    mutating func take(_ outcome: Outcome) {
        switch outcome.result {
        case .success(let output):
            guard let last, last.place == outputs.count - 1 else { return }
            self.last = (last.place, output.value != nil && !output.isHidden)
        case .failure(let failure): outputs.append(CellOutputs.error(failure))
        }
    }

    /// The outputs of a cell that ran as number `count`.
    func finished(_ count: Int) -> [JSON] {
        guard let last, last.isValue, last.place == outputs.count - 1 else { return outputs }
        var outputs = outputs
        var members = outputs[last.place].members ?? []
        members.set("output_type", "execute_result")
        members.set("execution_count", .integer(count))
        outputs[last.place] = .object(members)
        return outputs
    }

    /// One form for each way to show it, by MIME type.
    static func data(_ display: Display) -> JSON {
        var data: [JSON.Member] = [.init("text/plain", .lines(display.text().plain))]
        if let html = display.html { data.append(.init("text/html", .lines(html()))) }
        if let svg = display.svg { data.append(.init("image/svg+xml", .lines(svg()))) }
        return .object(data)
    }

    static func error(_ failure: Failure) -> JSON {
        let lines = failure.rendered().split(separator: "\n", omittingEmptySubsequences: false)
        return [
            "output_type": "error", "ename": .string(failure.kind.rawValue),
            "evalue": .string(failure.message),
            "traceback": .array(lines.map { .string(String($0)) }),
        ]
    }
}
