import CommandLanguage
import Rendering
import Values

/// What a picture is called, and the scales of its axes.
extension Picture {
    /// Labels, unit, title and scales, where they were given.
    mutating func name(_ invocation: Invocation) throws {
        if let text = try invocation.text("title") { title = text }
        let labels = try invocation.texts("labels")
        let unit = try invocation.text("unit")
        let scales = try invocation.text("log")
        switch content {
        case .chart(var chart):
            if !labels.isEmpty {
                try Picture.check(labels, chart.series.count, "series", invocation)
                for (index, label) in labels.enumerated() { chart.series[index].name = label }
            }
            if let unit { chart.yName = unit }
            if let scales { try chart.makeLogarithmic(scales, invocation) }
            content = .chart(chart)
        case .matrices(var maps):
            if scales != nil {
                throw invocation.error(
                    "a heat map has no axis of numbers that could be logarithmic",
                    suggestion: "plot log(…) draws the logarithms", at: "log")
            }
            if !labels.isEmpty {
                try Picture.check(labels, maps.count, "matrices", invocation)
                for (index, label) in labels.enumerated() { maps[index].title = label }
            }
            if let unit { for index in maps.indices { maps[index].unit = unit } }
            content = .matrices(maps)
        case .rates:
            for key in ["log", "labels", "unit"] where invocation.has(key) {
                throw invocation.error("bars of verdicts have no `\(key)`", at: key)
            }
        }
    }

    private static func check(
        _ labels: [String], _ count: Int, _ things: String, _ invocation: Invocation
    ) throws {
        guard labels.count != count else { return }
        throw invocation.error(
            "`labels` has \(NumberText.count(labels.count, "name")), and the picture has "
                + "\(count) \(things)", at: "labels")
    }
}

extension Chart {
    /// Makes the axes named in `log=` logarithmic.
    ///
    /// - Throws: if one of their numbers is zero or negative.
    fileprivate mutating func makeLogarithmic(
        _ axes: String, _ invocation: Invocation
    ) throws {
        func check(_ axis: String, _ numbers: (Series) -> [Double]) throws {
            for line in series {
                guard let bad = numbers(line).first(where: { $0.isFinite && $0 <= 0 }) else {
                    continue
                }
                throw invocation.error(
                    "a logarithmic axis shows positive numbers alone, and \(axis) of "
                        + "`\(TextWidth.cut(line.name, to: 40))` has \(NumberText.significant(bad))",
                    suggestion: "leave out log=, or plot abs(…)", at: "log")
            }
        }
        if axes.contains("x") {
            try check("x") { $0.points.map(\.x) }
            xScale = .log
        }
        if axes.contains("y") {
            try check("y") { line in
                // An empty bin has no bar, whatever the scale.
                if case .bars = line.mark { [] } else { line.points.map(\.y) }
            }
            yScale = .log
        }
    }
}
