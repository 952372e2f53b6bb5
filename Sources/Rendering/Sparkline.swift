/// Numbers as a row of block characters, for the end of a line: `▇▅▃▂▁▁`.
package enum Sparkline {
    /// - Parameter cells: the largest number of characters; each stands for equally many numbers
    ///   and shows their mean.
    /// - Returns: empty for fewer than two numbers. A number that is not finite is a blank.
    package static func text(_ values: [Double], cells: Int) -> String {
        guard values.count > 1, cells > 1 else { return "" }
        let count = min(cells, values.count)
        let means = (0..<count).map { cell in
            let part = values[cell * values.count / count..<(cell + 1) * values.count / count]
            return part.reduce(0, +) / Double(part.count)
        }
        let finite = means.filter(\.isFinite)
        guard let low = finite.min(), let high = finite.max() else { return "" }
        return String(
            means.map { mean -> Character in
                guard mean.isFinite else { return " " }
                let share = high > low ? (mean - low) / (high - low) : 0.5
                return blocks[min(blocks.count - 1, Int(share * Double(blocks.count)))]
            })
    }

    private static let blocks: [Character] = ["▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"]
}
