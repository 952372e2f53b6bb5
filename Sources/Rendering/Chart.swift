/// Series of numbers over common axes.
package struct Chart: Sendable {
    package enum Mark: Sendable {
        /// A line from point to point.
        case line
        /// A mark at each point.
        case points
        /// Bars from zero, each with its point in the middle of its upper end; as wide as this.
        case bars(width: Double)
    }

    package struct Series: Sendable {
        package var name: String
        /// A point that is not finite, or not positive on a logarithmic axis, is a gap.
        package var points: [(x: Double, y: Double)]
        package var mark: Mark

        package init(
            _ name: String, _ points: [(x: Double, y: Double)], mark: Mark = .line
        ) {
            (self.name, self.points, self.mark) = (name, points, mark)
        }

        var isBars: Bool { if case .bars = mark { true } else { false } }
        var isPoints: Bool { if case .points = mark { true } else { false } }
    }

    package var series: [Series]
    /// The name of the horizontal axis with its unit; nil for the number of the item.
    package var xName: String?
    /// The name of the vertical axis with its unit; nil for the name of a single series.
    package var yName: String?
    package var xScale = AxisScale.linear
    package var yScale = AxisScale.linear

    package init(_ series: [Series], xName: String? = nil, yName: String? = nil) {
        (self.series, self.xName, self.yName) = (series, xName, yName)
    }

    /// Several series are told apart by a legend.
    var hasLegend: Bool { series.count > 1 }

    func isShown(_ point: (x: Double, y: Double)) -> Bool {
        xScale.holds(point.x) && yScale.holds(point.y)
    }

    /// The smallest axes that hold every point that is shown; nil if there is none.
    var axes: (x: Axis, y: Axis)? {
        var (xs, ys): ([Double], [Double]) = ([], [])
        var isWhole = true
        for line in series {
            for point in line.points where isShown(point) {
                if case .bars(let width) = line.mark {
                    xs += [point.x - width / 2, point.x + width / 2]
                    // A logarithmic axis has no zero; the smallest bar is seen all the same.
                    ys += [point.y, yScale == .linear ? 0 : point.y / 2]
                } else {
                    xs.append(point.x)
                    ys.append(point.y)
                }
                isWhole = isWhole && point.x == point.x.rounded()
            }
        }
        guard let x = Axis(xs, xScale, isWhole: isWhole), let y = Axis(ys, yScale) else {
            return nil
        }
        return (x, y)
    }
}

extension Chart {
    /// The counts of numbers in bins of equal width, as bars.
    ///
    /// - Parameters:
    ///   - samples: the numbers of each series. All series have the same bins; numbers that are not
    ///     finite are in none.
    ///   - bins: how many; nil takes the square root of the largest count, from 5 to 50, and one
    ///     for each number where few whole numbers occur.
    package static func histogram(
        _ samples: [(name: String, values: [Double])], bins: Int? = nil, xName: String? = nil
    ) -> Chart {
        let finite = samples.map { $0.values.filter(\.isFinite) }
        let all = finite.joined()
        guard let low = all.min(), let high = all.max() else {
            return Chart(samples.map { Series($0.name, []) }, xName: xName, yName: "count")
        }
        let isWhole = all.allSatisfy { $0 == $0.rounded() }
        var (start, width, count): (Double, Double, Int)
        if bins == nil, isWhole, high - low < 50 {
            (start, width, count) = (low - 0.5, 1, Int(high - low) + 1)
        } else {
            let most = Double(finite.map(\.count).max() ?? 0)
            count = bins ?? min(50, max(5, Int(most.squareRoot().rounded(.up))))
            // Numbers that are all equal stand in the middle of the bins.
            let extent = high / 2 - low / 2 > 0 ? high - low : max(1e-6, abs(high)) * 1e-3
            (start, width) = (high > low ? low : low - extent / 2, extent / Double(count))
        }
        let series = zip(samples, finite).map { sample, values in
            var counts = [Int](repeating: 0, count: count)
            for value in values {
                let place = (value - start) / width
                counts[place.isFinite ? min(count - 1, max(0, Int(place))) : 0] += 1
            }
            let points = counts.enumerated().map {
                (x: start + width * (Double($0.offset) + 0.5), y: Double($0.element))
            }
            return Series(sample.name, points, mark: .bars(width: width))
        }
        return Chart(series, xName: xName, yName: "count")
    }
}
