import CommandLanguage
import Foundation
import Synchronization
import Tensors
import TestSupport
import Testing

@testable import Commands
@testable import Rendering
@testable import Sessions
@testable import Values

/// What hosts are shown: displays in several forms, and events in order.
@Suite struct DisplayTests {
    private static let hostile = "<script>alert(\"1\" & '2')</script>"
    private static let escaped =
        "&lt;script&gt;alert(&quot;1&quot; &amp; &#39;2&#39;)&lt;/script&gt;"

    @Test func `text of a person or a model is escaped in every form`() throws {
        let hostile = DisplayTests.hostile
        let hostileMap = HeatMap(
            rows: 1, columns: 2, values: [1, .nan], marksDiagonal: false, rowLabel: "",
            columnLabel: "")
        var table = Table([.init(hostile), .init("n", isNumeric: true)])
        table.append([hostile, "1"])
        var document = Document(hostile, .warning)
        document.line(table)
        document.line(
            TokenStrip(tokens: [.init(text: hostile, shift: 2), .init(text: "\n", shift: 0)]))
        document.line(
            HeatMap(rows: 1, columns: 1, values: [1], rowLabel: hostile, columnLabel: hostile))
        document.line(
            Picture(
                .lines([(hostile, [(0, 1), (1, .nan), (2, 3)]), ("b", [(0, 2)])]), title: hostile))
        document.line(Picture(.matrices([hostileMap]), title: hostile))
        let html = document.html.withDrawings
        #expect(!html.contains("<script"))
        #expect(html.components(separatedBy: DisplayTests.escaped).count - 1 == 12)
        let matrix = Picture(.matrices([hostileMap]), title: hostile).svg
        #expect(!matrix.contains("<script") && matrix.contains(DisplayTests.escaped))
    }

    @Test func `a script in a prompt of rollouts is shown and not run`() throws {
        let bench = try Workbench()
        try bench.write(
            "r.jsonl",
            (0..<2).map { constitution in
                "{\"query\": 0, \"constitution\": \(constitution), "
                    + "\"prompt\": \"<script>p\(constitution)</script>\", "
                    + "\"response\": \"<script>r\(constitution)</script>\"}\n"
            }.joined())
        try bench.output("load rollouts r.jsonl")
        for source in ["rollouts", "rollouts[0]", "rollouts.prompt", "{\"p\": rollouts[0].prompt}"]
        {
            let display = try #require(try bench.output(source).displays.last)
            let html = display.html?() ?? ""
            #expect(!html.contains("<script"), "\(source)")
            #expect(display.text().plain.contains("<script"), "\(source)")
        }
        #expect(
            try bench.output("rollouts[0]").displays.last?.html?().contains("&lt;script&gt;r0")
                == true)
    }

    @Test func `a table keeps whole cells, and numbers stand on the right`() {
        var table = Table([.init("name"), .init("n", isNumeric: true)])
        table.styles = [0: .name]
        table.append(["a<b", "1"])
        var document = Document()
        document.line(table)
        #expect(
            document.html == """
                <table><thead><tr><th style="text-align: left">name</th>\
                <th style="text-align: right">n</th></tr></thead><tbody>\
                <tr><td style="text-align: left; color: #1f94a3">a&lt;b</td>\
                <td style="text-align: right">1</td></tr></tbody></table>
                """)
        #expect(document.rendered(Appearance()) == table.rendered(Appearance()))
    }

    @Test func `a token's number is its title, and a heat map has its cells' numbers and scale`() {
        let strip = TokenStrip(tokens: [
            .init(text: "Arr", shift: 2.314), .init(text: "!", shift: 0),
        ])
        #expect(strip.html.contains("title=\"+2.31 nats\">Arr</span>"))
        #expect(strip.html.contains("<span title=\"0.00 nats\">!</span>"))
        let html = HeatMap(rows: 2, columns: 2, values: [-1.25, -2, -3.5, .nan]).html
        #expect(html.contains("title=\"c0, y1: -2\">-2.000</td>"))
        #expect(html.components(separatedBy: "border: 2px").count - 1 == 2)
        #expect(html.contains("dark -3.500, bright -1.250"))
        #expect(html.contains("title=\"c1, y1: nan\">nan</td>"))
    }

    @Test func `a large heat map and a long line stay small`() {
        let map = HeatMap(
            rows: 300, columns: 300, values: (0..<90_000).map(Double.init), marksDiagonal: false)
        #expect(map.html.utf8.count < 200_000)
        #expect(map.html.contains("32 × 32 of 300 × 300"))
        let points = (0..<100_000).map { (x: Double($0), y: $0 == 77_777 ? 1e6 : 0.0) }
        let line = Picture(.lines([("y", points)]), title: "peak").svg
        #expect(line.utf8.count < 40_000)
        // The peak is at the top of the frame.
        #expect(line.contains(",40.0"))
        #expect(
            Picture(.lines([("y", [(0, .nan)])]), title: "none").svg.contains("no finite values"))
    }

    @Test func `parts of a document begin their lines as styled text does`() {
        var table = Table([.init("a")])
        table.append(["1"])
        var document = Document("first", .heading)
        document.append(" line")
        document.line("")
        document.line(table)
        document.line("")
        document.line("last")
        var text = StyledText("first", .heading)
        text.append(" line")
        text.line("")
        text.line(table.rendered(Appearance()))
        text.line("")
        text.line("last")
        #expect(document.rendered(Appearance()) == text)
        #expect(text.plain == "first line\n\na\n1\n\nlast")
    }

    @Test func `values have the forms that their kind has`() throws {
        let bench = try Workbench()
        func display(_ source: String) throws -> Display {
            try #require(try bench.output(source).displays.last)
        }
        #expect(try display("[1, 2, 4, 8, 9, 8, 7, 6]").svg?().contains("<polyline") == true)
        #expect(try display("[1, 2, 4]").svg == nil)
        #expect(try display("[1, \"a\"]").svg == nil)
        #expect(try display("tensor([[1, 2], [3, 4]])").html?().contains("<td") == true)
        #expect(try display("{\"a\": 1}").html?().hasPrefix("<table>") == true)
        #expect(try display("1").html == nil)
        #expect(try display("plot [3, 1, 2]").svg?().hasPrefix("<svg ") == true)
        #expect(try display("help").html?().hasPrefix("<pre") == true)
        #expect(try display("x = [1]; history").json?().hasPrefix("[{") == true)
    }

    // MARK: Events

    /// The events as short words.
    private func events(_ session: Session, _ source: String) -> [String] {
        var found: [String] = []
        let origin = SourceOrigin(file: "a.sami", firstLine: 10)
        session.evaluate(Session.parse(source, origin: origin), keepGoing: true) { event in
            switch event {
            case .started(let statement):
                found.append(
                    "started \(statement.number) at \(statement.position.line):"
                        + "\(statement.position.column) in \(statement.file ?? "-"), depth "
                        + "\(statement.depth): \(statement.source)")
            case .progress: break
            case .display(let display): found.append("display \(display.text().plain)")
            case .finished(let outcome):
                if case .failure(let failure) = outcome.result {
                    found.append("failed at \(failure.position.line): \(failure.message)")
                } else {
                    found.append("finished \(outcome.statement)")
                }
            }
        }
        return found
    }

    @Test func `a host sees what starts, what is shown and what ends, in order`() throws {
        let bench = try Workbench()
        try bench.write("s.sami", "y = 5\ny\nmissing")
        #expect(
            events(bench.session, "x = 1\n  2 + x; 3;\nsource s.sami\n4") == [
                "started 1 at 10:1 in a.sami, depth 0: x = 1", "finished x = 1",
                "started 2 at 11:3 in a.sami, depth 0: 2 + x;", "finished 2 + x",
                "started 3 at 11:10 in a.sami, depth 0: 3;", "finished 3",
                "started 4 at 12:1 in a.sami, depth 0: source s.sami",
                "started 1 at 1:1 in s.sami, depth 1: y = 5", "finished y = 5",
                "started 2 at 2:1 in s.sami, depth 1: y", "display 5", "finished y",
                "started 3 at 3:1 in s.sami, depth 1: missing",
                "failed at 3: there is no value called `missing`",
                "started 5 at 13:1 in a.sami, depth 0: 4", "display 4", "finished 4",
            ])
        #expect(
            events(bench.session, "x = )\n1") == [
                "failed at 10: expected a value, found `)`"
            ])
    }

    @Test func `a note is shown even where the output is hidden`() throws {
        let bench = try Workbench()
        let shown = events(bench.session, "time 1;").filter { $0.hasPrefix("display ") }
        #expect(shown.count == 1 && shown.first?.hasSuffix("s") == true, "\(shown)")
    }

    @Test(.enabled(if: Workbench.hasShippedModel, "models/tiny is not here"))
    func `a statement that shows several things sends several displays`() throws {
        let bench = try Workbench()
        try bench.output(
            """
            load model default; load queries summaries count=2
            principles = load principles trained; compose; rollout seed=1
            """)
        let output = try bench.output("show rollouts count=2")
        #expect(output.displays.count == 4)
        #expect(output.displays[3].text().plain == "… and 2 more; count= shows them")
        #expect(output.displays[1].html?().contains("nats\">") == true)
        #expect(output.displays[1].text().plain.hasPrefix("\nrollout of "))
    }
}
