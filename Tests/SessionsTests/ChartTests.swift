import Foundation
import Testing

@testable import Commands
@testable import Rendering
@testable import Sessions
@testable import Values

/// What `plot` draws, and what charts do with numbers of every kind.
@Suite struct ChartTests {
    private func count(_ part: String, in text: String) -> Int {
        text.components(separatedBy: part).count - 1
    }

    private func svg(_ bench: Workbench, _ source: String) throws -> String {
        let display = try #require(try bench.output(source).displays.last)
        return try #require(display.svg?())
    }

    private func plain(_ bench: Workbench, _ source: String) throws -> String {
        try #require(try bench.output(source).displays.last).text().plain
    }

    // MARK: Several series

    @Test func `several lists are lines with a legend, and each reads without color`() throws {
        let bench = try Workbench()
        try bench.output("a = [3, 1, 2]; b = {\"c\": [2, 2, 1]}")
        let picture = try svg(bench, "plot a b.c [1, 1, 1] title=\"three\"")
        for name in ["a", "b.c", "[1, 1, 1]", "three", "index"] {
            #expect(count(">\(name)</text>", in: picture) == 1, "\(name)")
        }
        #expect(count("<polyline", in: picture) == 3)
        // Two dash patterns beside the solid line, a disk, squares and triangles as marks.
        #expect(Set(["8 3", "2 3"]).allSatisfy { picture.contains("stroke-dasharray=\"\($0)\"") })
        #expect(count("<circle", in: picture) == 4 && count("h6v6h-6z", in: picture) == 4)
        #expect(try plain(bench, "plot a b.c").contains("\n• a  × b.c\n"))
        let named = try svg(bench, "plot a b.c labels=[\"x<y\", \"z\"] unit=\"nats\"")
        for name in ["x&lt;y", "z", "nats"] {
            #expect(count(">\(name)</text>", in: named) == 1, "\(name)")
        }
    }

    @Test func `a path after several values is known by its form`() throws {
        let bench = try Workbench()
        try bench.output("x = [1, 2]; plot x x ./one.svg; plot x two.html; plot x [2, 1] \"3.svg\"")
        try bench.output("for i in [4, 5] { plot x x (str(i) + \".svg\") }")
        try bench.output("plot x x title=\"t\" six.svg")
        for name in ["one.svg", "3.svg", "4.svg", "5.svg", "six.svg"] {
            let file = String(decoding: try bench.read(name), as: UTF8.self)
            #expect(file.hasPrefix("<svg "), "\(name)")
        }
        #expect(String(decoding: try bench.read("two.html"), as: UTF8.self).hasPrefix("<!DOCTYPE"))
    }

    @Test func `a matrix may be a heat map, lines, or a scatter of its columns`() throws {
        let bench = try Workbench()
        try bench.output("m = tensor([[1, 2], [3, 5], [4, 4]])")
        #expect(try plain(bench, "plot m").contains("5.000"))
        #expect(try plain(bench, "plot m as=line").contains("• row 0  × row 1  + row 2"))
        #expect(count("<circle", in: try svg(bench, "plot m as=scatter")) == 3)
        #expect(count(">m</text>", in: try svg(bench, "plot m m * 2")) == 1)
        #expect(
            bench.complaint("plot m [1]").contains("lines and matrices do not fit into one"))
        #expect(
            bench.complaint("plot zeros([65, 2]) as=line").contains(
                "64 at most, and this matrix has 65"))
    }

    // MARK: Forms

    @Test func `a histogram counts every finite number once`() throws {
        let values = (0..<1000).map { Double($0 % 97) * 0.37 } + [.nan, .infinity]
        for bins in [1, 7, 50, nil] {
            let chart = Chart.histogram([(name: "x", values: values)], bins: bins)
            #expect(chart.series[0].points.reduce(0) { $0 + $1.y } == 1000)
            #expect(bins == nil || chart.series[0].points.count == bins)
        }
        // Whole numbers have a bin each, equal numbers one in the middle.
        let dice = Chart.histogram([(name: "x", values: [1, 1, 2, 6])])
        #expect(dice.series[0].points.map(\.y) == [2, 1, 0, 0, 0, 1])
        #expect(dice.series[0].points.map(\.x) == [1, 2, 3, 4, 5, 6])
        let equal = Chart.histogram([(name: "x", values: [0.5, 0.5, 0.5])])
        #expect(equal.series[0].points.map(\.y).max() == 3)
        for extreme in [[1e308, -1e308], [5e-324, 0], [1e308, 1e308]] {
            let chart = Chart.histogram([(name: "x", values: extreme)], bins: 3)
            #expect(chart.series[0].points.reduce(0) { $0 + $1.y } == 2, "\(extreme)")
        }
        let bench = try Workbench()
        let drawn = try plain(bench, "plot [1, 1, 2, nan] as=histogram")
        #expect(drawn.hasPrefix("[1, 1, 2, nan]: 4 numbers\ncount\n"))
        #expect(drawn.hasSuffix("value; 1 that are not finite are left out"))
        #expect(drawn.contains("█"))
        #expect(
            try plain(bench, "plot {\"a\": 1, \"b\": 2.5} as=histogram").hasPrefix(
                "{\"a\": 1, \"b\": 2.5}: 2 numbers"))
        #expect(try svg(bench, "plot [1, 2, 3] [4, 4] as=histogram").contains(">count</text>"))
    }

    @Test func `a scatter pairs numbers, of lists or of a table's columns`() throws {
        let bench = try Workbench()
        try bench.output("t = [{\"a\": 1, \"b\": 2}, {\"a\": 2, \"b\": 1}]")
        let table = try svg(bench, "plot t x=a y=b as=scatter")
        #expect(count("<circle", in: table) == 2 && !table.contains("<polyline"))
        let lists = try svg(bench, "plot [1, 2, 3] [1, 4, 9] as=scatter")
        #expect(count("<circle", in: lists) == 3)
        #expect(lists.contains(">[1, 4, 9] over [1, 2, 3]</text>"))
        #expect(
            bench.complaint("plot [1, 2] [1] as=scatter").contains(
                "`[1, 2]` has 2 numbers and `[1]` has 1; a scatter pairs them one by one"))
        #expect(
            bench.complaint("plot [1, 2] as=scatter").contains("needs numbers for both axes"))
        #expect(bench.complaint("plot t as=scatter").contains("for example x=a y=b"))
    }

    @Test func `a logarithmic axis has powers of ten, and refuses what has no logarithm`() throws {
        let bench = try Workbench()
        let picture = try svg(bench, "plot [1, 10, 100, 1000] log=y")
        for label in ["1", "10", "100", "1000"] {
            #expect(picture.contains("anchor=\"end\" fill=\"#000000\">\(label)</text>"), "\(label)")
        }
        // Equal ratios are equal distances: the line is straight.
        #expect(picture.contains("80.0,360.0 260.0,253.3 440.0,146.7 620.0,40.0"))
        for source in ["plot [1, -2] log=y", "plot [1, 0] log=xy"] {
            #expect(
                bench.complaint(source).contains("a logarithmic axis shows positive numbers alone"),
                "\(source)")
        }
        #expect(
            bench.complaint("plot tensor([[1, 2], [3, 4]]) log=y").contains(
                "plot log(…) draws the logarithms"))
        #expect(
            bench.complaint("plot [1] as=histogram log=x").contains("bins of a histogram"))
        // A range within one decade has ticks all the same.
        #expect(Ticks(logarithmic: 2.1...2.4, count: 5).values.count > 1)
        #expect(Ticks(logarithmic: 1e-300...1e300, count: 5).values.count <= 5)
    }

    @Test func `options that fit no picture are refused with their reason`() throws {
        let bench = try Workbench()
        for (source, reason) in [
            ("plot [1, 2] labels=[\"a\", \"b\"]", "`labels` has 2 names, and the picture has 1"),
            ("plot [1, 2] bins=3", "`bins` belongs to as=histogram"),
            ("plot [1, 2] [\"a\"]", "what is plotted must be numbers"),
            ("plot []", "what is plotted must be numbers"),
            ("plot [1, 2] y=loss", "`y` names a column of a log"),
            ("plot \"a\" as=histogram", "what is plotted must be numbers"),
            ("plot [1] as=pie", "must be `line`, `scatter` or `histogram`"),
        ] {
            let complaint = bench.complaint(source)
            #expect(complaint.contains(reason), "\(source): \(complaint)")
        }
    }

    // MARK: Numbers of every kind

    @Test(
        arguments: [
            [1.0], [0, 0, 0], [.nan], [.infinity, 1], [1e308, -1e308], [5e-324, 0],
            [1, .nan, 3], [-1e-300, 1e-300], [1e16, 1e16 + 2],
        ])
    func `no numbers stop a drawing`(_ values: [Double]) {
        let points = values.enumerated().map { (x: Double($0.offset), y: $0.element) }
        for mark in [Chart.Mark.line, .points, .bars(width: 1)] {
            for (x, y) in [(AxisScale.linear, AxisScale.linear), (.log, .log)] {
                var chart = Chart([.init("a", points, mark: mark), .init("b", points)])
                (chart.xScale, chart.yScale) = (x, y)
                let picture = Picture(.chart(chart), title: "t")
                #expect(picture.svg.hasSuffix("</svg>"))
                #expect(!picture.svg.contains("nan") && !picture.svg.contains("inf"))
                #expect(!picture.rendered(Appearance(width: 40)).isEmpty)
            }
        }
    }

    @Test func `a hundred thousand points are drawn small, and fast`() {
        let points = (0..<100_000).map { (x: Double($0), y: sin(Double($0) / 5000)) }
        for mark in [Chart.Mark.line, .points] {
            let picture = Picture(.chart(Chart([.init("y", points, mark: mark)])), title: "t")
            #expect(picture.svg.utf8.count < 60_000)
            #expect(picture.rendered(Appearance()).plain.count < 2000)
        }
    }

    @Test func `hostile names are escaped, cut and counted`() {
        let hostile = "<script>alert('&')</script>\u{202E}\u{1F600}\u{7}"
        let names =
            [hostile, String(repeating: "long ", count: 2000)]
            + (0..<20).map { "name \($0)" }
        let chart = Chart(
            names.map { .init($0, [(x: 0, y: 1), (x: 1, y: 2)]) }, xName: hostile, yName: hostile)
        let picture = Picture(.chart(chart), title: hostile)
        #expect(!picture.svg.contains("<script") && picture.svg.utf8.count < 30_000)
        #expect(picture.svg.contains(">and 10 more</text>"))
        let text = picture.rendered(Appearance(width: 60)).plain
        #expect(!text.contains("\u{7}"))
        #expect(text.split(separator: "\n").allSatisfy { TextWidth.of($0) <= 61 })
    }
}
