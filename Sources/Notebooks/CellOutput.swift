import JSON
import Rendering
import Sessions

/// One output of a code cell. Source: the message format of Jupyter, 5.4.
public enum CellOutput: Sendable {
    /// `display_data`: something that a statement shows.
    case display(Display)
    /// `execute_result`: the value of the cell's last statement.
    case result(Display)
    /// `error`: the mistakes of a cell that could not be read, or the one failure of its run.
    case error([Failure])

    /// Its name in a notebook, and the type of its message.
    public var type: String {
        switch self {
        case .display: "display_data"
        case .result: "execute_result"
        case .error: "error"
        }
    }

    /// The members of its message, where every text is one string.
    ///
    /// - Parameter count: the number of the cell's execution.
    public func content(count: Int) -> [JSON.Member] {
        members(count: count) { .string($0) }
    }

    /// Its form in a notebook, where a text is a list of lines.
    func stored(count: Int) -> JSON {
        .object([.init("output_type", .string(type))] + members(count: count, JSON.lines))
    }

    /// Marks the display of a kernel that follows long work, in an output's metadata. Its last
    /// state stays in the notebook; a run without a client has no such output.
    public static let progressMark: JSON = ["sami": ["progress": true]]

    static func isProgress(_ output: JSON) -> Bool {
        output["metadata"]?["sami"]?["progress"]?.bool == true
    }

    private func members(count: Int, _ text: (String) -> JSON) -> [JSON.Member] {
        switch self {
        case .display(let display):
            return [.init("data", display.data(text)), .init("metadata", [:])]
        case .result(let display):
            return [
                .init("data", display.data(text)), .init("metadata", [:]),
                .init("execution_count", .integer(count)),
            ]
        case .error(let failures):
            let lines = failures.flatMap {
                $0.rendered().split(separator: "\n", omittingEmptySubsequences: false)
            }
            return [
                .init("ename", .string(failures.first?.kind.rawValue ?? "")),
                .init("evalue", .string(failures.first?.message ?? "")),
                .init("traceback", .array(lines.map { .string(String($0)) })),
            ]
        }
    }
}

extension Display {
    /// One form for each way to show it, by MIME type. HTML that is the text again is left out:
    /// clients show plain text as they show the rest of theirs.
    fileprivate func data(_ form: (String) -> JSON) -> JSON {
        let text = text()
        var data: [JSON.Member] = [.init("text/plain", form(text.plain))]
        if let html = html?(), html != text.html { data.append(.init("text/html", form(html))) }
        if let svg { data.append(.init("image/svg+xml", form(svg()))) }
        return .object(data)
    }

    /// The forms by MIME type, as messages of Jupyter hold them.
    package var mimeBundle: JSON { data { .string($0) } }
}
