import Foundation
import Testing

@testable import Alignment
@testable import Commands
@testable import Rendering
@testable import Sessions
@testable import Values

/// Pictures of matrices as SVG: names, figures, frames, one scale.
@Suite struct PictureTests {
    private func count(_ part: String, in text: String) -> Int {
        text.components(separatedBy: part).count - 1
    }

    private static func map(_ title: String, _ values: [Double]) -> HeatMap {
        var map = HeatMap(rows: 2, columns: 2, values: values)
        (map.rowName, map.columnName) = ("constitution", "response")
        (map.title, map.unit) = (title, "nats a token")
        return map
    }

    @Test func `a matrix has names, figures, a framed diagonal, a scale and a unit`() {
        let svg = Picture(.matrices([PictureTests.map("", [-1, -2, -3, -4])]), title: "S").svg
        for label in ["c0", "c1", "y0", "y1", "constitution", "response", "nats a token"] {
            #expect(count(">\(label)</text>", in: svg) == 1, "\(label)")
        }
        for figure in ["-1.000", "-2.000", "-3.000", "-4.000"] {
            #expect(count(">\(figure)</text>", in: svg) == 1, "\(figure)")
        }
        #expect(count("stroke-width=\"3\"", in: svg) == 2)
        // The smallest value is the darkest, the largest the brightest.
        #expect(
            svg.contains("fill=\"rgb(68, 1, 84)\"") && svg.contains("fill=\"rgb(253, 231, 37)\""))
    }

    @Test func `responses to one query count once in the interval of a principle`() throws {
        let constitution = Constitution(slots: [Slot(text: "One.", polarity: .principle)])
        let comparisons = ["a", "a", "b", "b"].map { id in
            Comparison(
                pair: ResponsePair(
                    id: QueryID(id), constitution: constitution, first: "x", second: "y"),
                judgement: .tie, scores: [1, 1])
        }
        let tally = PrincipleTally(principle: "One.", count: 4, first: 1, second: 0.5)
        let object = VerdictsObject(
            verdicts: Verdicts(judge: "measured", comparisons: comparisons, principles: [tally]),
            first: "model", second: "base")
        guard case .rates(let groups)? = object.picture?.content else {
            Issue.record("no bars")
            return
        }
        let bars = try #require(groups.last?.bars)
        let two = try #require(Interval.wilson(successes: 2, of: 2))
        #expect(bars[0].interval.lowerBound == two.lower && bars[0].count == 4)
    }

    @Test func `several matrices are panels with one scale`() {
        let maps = [
            PictureTests.map("a", [0, 1, 1, 0]), PictureTests.map("b", [10, 1, 1, 10]),
            PictureTests.map("c", [5, 5, 5, 5]),
        ]
        let svg = Picture(.matrices(maps), title: "S").svg
        for title in ["a", "b", "c"] { #expect(count(">\(title)</text>", in: svg) == 1) }
        #expect(count(">nats a token</text>", in: svg) == 1)
        // A middle value of the whole, although it is all that its own matrix holds.
        #expect(count("fill=\"rgb(33, 145, 140)\"", in: svg) == 4)
        let many = Picture(
            .matrices((0..<20).map { PictureTests.map("m\($0)", [0, 1, 2, 3]) }), title: "S")
        #expect(many.svg.contains(">and 4 more</text>"))
        #expect(!many.svg.contains("m16"))
        let text = many.rendered(Appearance()).plain
        #expect(text.contains("m3") && !text.contains("m4"))
        #expect(text.hasSuffix("… and 16 more; a slice shows others: [4:8]"))
        #expect(many.html.contains("… and 4 more; a slice shows others: [16:20]"))
    }

    @Test func `labels of large matrices stand at whole items, and leave each other room`() {
        let map = HeatMap(
            rows: 300, columns: 40, values: (0..<12_000).map(Double.init), marksDiagonal: false,
            rowLabel: "", columnLabel: "")
        let svg = Picture(.matrices([map]), title: "m").svg
        let labels = svg.components(separatedBy: "text-anchor=\"middle\" fill=\"#000000\">")
            .dropFirst().map { String($0.prefix { $0 != "<" }) }
        #expect(labels.contains("0") && labels.contains("38") && !labels.contains("1"))
        #expect(labels.allSatisfy { $0 == "m" || Int($0) != nil })
    }

    @Test func `plot draws every matrix of a value`() throws {
        let bench = try Workbench()
        let stack = try bench.output("plot reshape(range(24), [2, 3, 4])").displays.last
        let text = try #require(stack).text().plain
        #expect(text.contains("[0]\n") && text.contains("[1]\n") && text.contains("23.0"))
        try bench.output("plot reshape(range(24), [2, 3, 4]) t.svg")
        #expect(String(decoding: try bench.read("t.svg"), as: UTF8.self).contains(">[1]</text>"))
        try bench.output("plot tensor([[nan, nan]]) n.svg")
        let empty = String(decoding: try bench.read("n.svg"), as: UTF8.self)
        #expect(empty.contains("no finite values"))
    }
}
