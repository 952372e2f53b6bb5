import Rendering
import Tensors

/// Tensors as text: type and shape, and the values in their corners.
package enum TensorText {
    package static func shape(_ shape: [Int]) -> String {
        shape.count == 1
            ? "(\(shape[0]),)" : "(" + shape.map(String.init).joined(separator: ", ") + ")"
    }

    package static func summary(_ tensor: Tensor) -> String {
        let statistics = Statistics(tensor)
        return "tensor \(shape(tensor.shape)) \(tensor.format.name)  \(statistics.line)"
    }

    struct Statistics {
        var minimum = Double.infinity
        var maximum = -Double.infinity
        package var sum = 0.0
        var finite = 0
        package var nonFinite = 0

        init(_ tensor: Tensor) {
            tensor.withUnsafeBufferPointer { values in
                for value in values {
                    guard value.isFinite else {
                        nonFinite += 1
                        continue
                    }
                    finite += 1
                    sum += Double(value)
                    minimum = min(minimum, Double(value))
                    maximum = max(maximum, Double(value))
                }
            }
        }

        package var mean: Double? { finite == 0 ? nil : sum / Double(finite) }

        /// The count of non-finite values is a warning, so it is shown only if it is not zero.
        package var line: String {
            var parts: [String] = []
            if let mean {
                let (low, high) = (
                    NumberText.significant(minimum, digits: 4),
                    NumberText.significant(maximum, digits: 4)
                )
                parts.append("\(low) … \(high)")
                parts.append("mean \(NumberText.significant(mean, digits: 4))")
            } else if nonFinite == 0 {
                parts.append("no values")
            }
            if nonFinite > 0 { parts.append("\(NumberText.grouped(nonFinite)) non-finite") }
            return parts.joined(separator: "  ")
        }
    }

    package static func rendered(_ tensor: Tensor, _ appearance: Appearance) -> StyledText {
        let statistics = Statistics(tensor)
        var text = StyledText()
        text.append("tensor ", .faint)
        text.append(shape(tensor.shape))
        text.append(" \(tensor.format.name)  ", .faint)
        text.append(statistics.line, statistics.nonFinite > 0 ? .warning : .faint)
        guard tensor.count > 0 else { return text }
        let matrix = Matrix(tensor)
        if !matrix.label.isEmpty { text.line(matrix.label, .faint) }
        text.line(matrix.rendered(appearance))
        return text
    }

    /// The last two axes of a tensor, at the first position of all the others.
    private struct Matrix {
        let rows: Int
        let columns: Int
        let values: [Float]
        let label: String

        init(_ tensor: Tensor) {
            columns = tensor.shape.last ?? 1
            rows = tensor.shape.count > 1 ? tensor.shape[tensor.shape.count - 2] : 1
            values = tensor.withUnsafeBufferPointer { [size = rows * columns] in
                Array($0.prefix(size))
            }
            let leading = tensor.shape.count - 2
            label =
                leading > 0
                ? "[" + Array(repeating: "0", count: leading).joined(separator: ", ") + ", :, :]"
                : ""
        }

        func rendered(_ appearance: Appearance) -> StyledText {
            let shown = picked(columns, limit: max(2, min(8, (appearance.columns - 4) / 10)))
            let lines = picked(rows, limit: 8)
            var cells: [[String]] = []
            for row in lines {
                cells.append(
                    shown.map { column in
                        guard let row, let column else { return "…" }
                        return TensorText.cell(values[row * columns + column])
                    })
            }
            let widths = shown.indices.map { index in
                cells.map { TextWidth.of($0[index]) }.max() ?? 0
            }
            var text = StyledText()
            for row in cells {
                let padded = zip(row, widths).map {
                    TextWidth.padded($0, to: $1, onLeft: true)
                }
                text.line("  " + padded.joined(separator: "  "))
            }
            return text
        }

        /// All positions if they are few, otherwise the first and last with a gap (nil) between.
        private func picked(_ count: Int, limit: Int) -> [Int?] {
            guard count > limit else { return (0..<count).map { $0 } }
            let tail = max(1, limit / 4)
            return (0..<(limit - tail)).map { $0 } + [nil] + ((count - tail)..<count).map { $0 }
        }
    }

    package static func cell(_ value: Float) -> String {
        let value = Double(value)
        if value.isFinite, value != 0, value != value.rounded(), value.magnitude < 1e4,
            value.magnitude >= 1e-3
        {
            let decimals = value.magnitude >= 100 ? 2 : value.magnitude >= 10 ? 3 : 4
            return NumberText.fixed(value, decimals: decimals)
        }
        return NumberText.significant(value, digits: 4)
    }
}
