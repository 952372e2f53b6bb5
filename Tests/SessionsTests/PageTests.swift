import Alignment
import Foundation
import TestSupport
import Testing

@testable import Commands
@testable import Rendering
@testable import Sessions
@testable import Values

/// Rates, strips and values as a page shows them.
@Suite struct PageTests {
    private static let hostile = "<script>alert(1)</script>&\"'"

    // MARK: Rates

    private static let bars = RateBars(
        "model over base",
        [
            .init("win rate", 0.75, 0.6...0.86, count: 64),
            .init(hostile, 0, 0...0.3, count: 1),
        ], unit: "comparisons", half: "no difference")

    @Test func `rates have their intervals, the half and n in a terminal of any width`() {
        #expect(
            PageTests.bars.rendered(Appearance(width: 70)).plain == """
                win rate                       75.0 %  ████████████│██▓▓▓▓░░░···  n 64
                <script>alert(1)</script>&"'    0.0 %  ░░░░░░░░····│············  n 1
                0 to 100 %; ▓░ is the 95 % interval, the rate between them; │ 50 %: no
                difference; n: comparisons
                """)
        #expect(
            PageTests.bars.rendered(Appearance(width: 40, isUnicode: false)).plain.hasPrefix(
                "win rate                       75.0 %  n 64\n"))
        let plain = PageTests.bars.rendered(Appearance(width: 90, isUnicode: false)).plain
        #expect(plain.utf8.allSatisfy { $0 < 0x80 } && plain.contains("##|"))
    }

    @Test func `rates in a page and in a picture have every number, and text is escaped`() {
        let picture = Picture(.rates([PageTests.bars, PageTests.bars]), title: "t")
        for form in [picture.html, picture.svg] {
            for part in ["75.0 %", "60.0 to 86.0 %", "64", "50 %", "no difference", "comparisons"] {
                #expect(form.contains(part), "\(part)")
            }
            #expect(!form.contains("<script") && form.contains("&lt;script&gt;"))
        }
        // A page is readable in every theme; a picture has a ground.
        let page = picture.html.withDrawings
        #expect(page.contains("<rect ") && !page.contains("#000000"))
        #expect(!page.contains("currentColor"))
        // The same legend once.
        #expect(picture.svg.components(separatedBy: "n: comparisons").count == 2)
    }

    // MARK: Strips

    @Test func `a strip in a page tells signs by lines, and names both constitutions`() {
        var strip = TokenStrip(tokens: [
            .init(text: "Arr", shift: 2.3), .init(text: "<b>", shift: -0.5),
            .init(text: "!", shift: 0.01), .init(text: "?", shift: .nan),
        ])
        (strip.own, strip.other) = ("constitution <0>", "1")
        strip.remark = "The whole response: +1.81 nats."
        let html = strip.html
        #expect(html.contains("border-bottom: 2px solid\" title=\"+2.30 nats\">Arr</span>"))
        #expect(html.contains("border-bottom: 2px dashed\" title=\"-0.50 nats\">&lt;b&gt;</span>"))
        #expect(html.contains("<span title=\"+0.01 nats\">!</span>"))
        #expect(
            html.contains("constitution &lt;0&gt; makes the token likelier than 1 does"))
        #expect(html.contains("The whole response: +1.81 nats."))
        // The text has the page's color.
        #expect(!html.contains(" color:"))
        strip.showsFigures = true
        #expect(strip.html.contains("Arr<small>{+2.30}</small>"))
    }

    // MARK: Export

    @Test func `every value becomes one whole page without a script or an address`() throws {
        let bench = try Workbench()
        try bench.output(
            """
            n = 1.5; t = "<script>x</script>"; e = []
            l = [1, 2, 4, 8, 9, 8, 7, 6]; m = tensor([[1, 2], [3, 4]])
            r = {"<script>": "&"}; rows = [{"a": "<script>"}]
            """)
        for name in ["n", "t", "l", "e", "m", "r", "rows"] {
            let said = try bench.text("export \(name) \(name).html")
            #expect(said.hasPrefix("wrote \(name).html, "))
            let page = String(decoding: try bench.read("\(name).html"), as: UTF8.self)
            #expect(
                page.hasPrefix(
                    "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">"))
            #expect(page.contains("<title>\(name)</title>") && page.hasSuffix("</html>\n"))
            #expect(page.contains("prefers-color-scheme: dark"))
            #expect(!page.contains("<script") && !page.contains("href="))
            let images = page.components(separatedBy: "src=").dropFirst()
            #expect(images.allSatisfy { $0.hasPrefix("\"data:image/svg+xml;base64,") })
        }
        let line = String(decoding: try bench.read("l.html"), as: UTF8.self)
        #expect(line.withDrawings.contains("<polyline"))
        #expect(
            String(decoding: try bench.read("m.html"), as: UTF8.self).contains("row 1, column 0"))
    }

    @Test(.enabled(if: Workbench.hasShippedModel, "models/tiny is not here"))
    func `a page of rollouts has their token strips`() throws {
        let bench = try Workbench()
        try bench.output(
            """
            load model default; load queries summaries count=1
            principles = load principles trained; compose; rollout seed=1
            export rollouts all.html; export rollouts[0][0] one.html
            """)
        for (name, count) in [("all", 2), ("one", 1)] {
            let page = String(decoding: try bench.read("\(name).html"), as: UTF8.self)
            #expect(page.components(separatedBy: "orange, dashed line").count - 1 == count)
            #expect(page.contains("constitution 0 makes the token likelier than 1 does"))
        }
    }

    @Test func `a value without a picture is refused as one`() throws {
        let bench = try Workbench()
        for source in ["export \"a\" x.svg", "export [\"a\"] x.png", "export {\"a\": \"b\"} x.svg"]
        {
            #expect(
                bench.complaint(source).contains("what is plotted must be numbers"),
                "\(source): \(bench.complaint(source))")
        }
    }

    @Test func `cells of a heat map say whose they are, and the scale stands beside them`() {
        var map = HeatMap(rows: 2, columns: 2, values: [-1, -2, -3, -1.5])
        (map.rowName, map.columnName, map.unit) = ("constitution", "response", "nats a token")
        let html = map.html
        #expect(html.contains("title=\"constitution c0, response y1: -2 nats a token\""))
        // The numbers of the scale have the digits of the cells.
        #expect(html.contains("linear-gradient(to top, rgb("))
        #expect(html.contains("<div>-1.000</div><div>-2.000</div><div>-3.000</div>"))
        #expect(html.contains("rows: constitution, columns: response; framed: the diagonal"))
        // Equal values have no scale.
        #expect(!HeatMap(rows: 1, columns: 2, values: [1, 1]).html.contains("gradient"))
    }
}
