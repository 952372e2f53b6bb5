import Alignment
import Foundation
import Rendering
import Values
import Workspaces

/// What reports of a session and of several runs have in common.
enum ReportParts {
    /// A page has no window; this is the width of its plain text.
    static let appearance = Appearance(width: 100)

    /// Program, machine, seeds and time of the statements, in one paragraph.
    static func origin(_ history: [HistoryEntry]) -> String {
        func each(_ values: [String]) -> String {
            var found: [String] = []
            for value in values where !value.isEmpty && !found.contains(value) {
                found.append(value)
            }
            return found.joined(separator: "; ")
        }
        let done = history.filter { $0.status == .committed }
        let seconds = done.filter { !$0.isBlock }.reduce(0) { $0 + ($1.seconds ?? 0) }
        let seeds = each(done.map { String($0.seed.prefix { $0 != "/" }) })
        var text =
            "\(NumberText.count(done.count { !$0.isBlock }, "statement")) in "
            + NumberText.duration(seconds)
        if let first = done.first?.time.prefix(10), let last = done.last?.time.prefix(10) {
            text += first == last ? ", on \(first)" : ", from \(first) to \(last)"
        }
        text += ". Program: \(each(done.map(\.program))). Machine: \(each(done.map(\.machine)))."
        if !seeds.isEmpty { text += " Seeds: \(seeds)." }
        return text
    }

    /// Every statement that changed the workspace; of a block also those inside.
    static func statements(_ history: [HistoryEntry]) -> Display {
        var table = Table([
            .init("#", isNumeric: true), .init("statement"), .init("made"),
            .init("seconds", isNumeric: true),
        ])
        table.styles = [0: .faint, 2: .name, 3: .faint]
        for entry in history {
            var made = entry.bound.map(\.name).filter { !$0.hasPrefix(".") }
                .joined(separator: ", ")
            switch entry.status {
            case .committed: if entry.stopped != nil { made += " (stopped)" }
            case .undone: made = "(undone)"
            case .failed(let message): made = "(failed: \(TextWidth.cut(message, to: 60)))"
            case .unfinished, .running: made = "(unfinished)"
            }
            let isInner = entry.block != nil && !entry.isBlock
            table.append([
                "\(entry.sequence)", (isInner ? "· " : "") + entry.source, made,
                entry.seconds.map { NumberText.significant($0, digits: 3) } ?? "",
            ])
        }
        return display(table)
    }

    static func named(_ name: String, _ display: Display) -> Display {
        var named = display
        named.text = {
            var text = StyledText(name, .heading)
            text.line(display.text())
            return text
        }
        named.html = {
            HTML.element("h3", HTML.escaped(name)) + (display.html?() ?? display.text().html)
        }
        return named
    }

    static func display(_ table: Table) -> Display {
        var built = Document()
        built.line(table)
        let document = built
        return Display(appearance, document: document)
    }

    static func display(_ picture: Picture) -> Display {
        Display(text: { picture.rendered(appearance) }, html: { picture.html })
    }

    /// Both responses of a comparison beside each other, below their constitution.
    static func example(
        _ comparison: Alignment.Comparison, _ object: VerdictsObject, named name: String
    ) -> Display {
        let judgement = comparison.judgement?.rawValue ?? ""
        var heading = StyledText("\(name): a \(judgement), \(comparison.pair.id.text)", .heading)
        for line in comparison.pair.constitution.text.split(separator: "\n") {
            heading.line("  " + line, .faint)
        }
        let head = heading
        let sides = SideBySide(
            left: (object.first, comparison.pair.first),
            right: (object.second, comparison.pair.second))
        return Display(
            text: {
                var text = head
                text.line(sides.rendered(appearance))
                return text
            },
            html: {
                var table = Table([.init(object.first), .init(object.second)])
                table.append([comparison.pair.first, comparison.pair.second])
                var document = Document(head)
                document.line(table)
                return document.html
            })
    }

    /// A path as one word of a shell.
    static func quoted(_ path: String) -> String {
        let safe = path.allSatisfy { $0.isLetter || $0.isNumber || "/._-~".contains($0) }
        return safe ? path : "'" + path.replacing("'", with: "'\\''") + "'"
    }
}
