import Tensors

/// Numbers with a shape, as a function reads them: a list keeps its doubles, a tensor its float32.
/// `[0.1, 0.2]` has the mean 0.15, and not that of the nearest two float32 numbers.
enum Numbers {
    case doubles([Double])
    case tensor(Tensor)

    var shape: [Int] {
        switch self {
        case .doubles(let values): [values.count]
        case .tensor(let tensor): tensor.shape
        }
    }
}

extension Value {
    /// The items of a list of plain numbers; nil for any other value.
    var plainNumbers: [Double]? {
        guard case .list(let items) = self else { return nil }
        var numbers: [Double] = []
        numbers.reserveCapacity(items.count)
        for item in items {
            guard case .number(let number) = item else { return nil }
            numbers.append(number)
        }
        return numbers
    }
}

extension Arguments {
    func numbers(_ name: String) throws(EvaluationError) -> Numbers {
        if let doubles = value(name).plainNumbers { return .doubles(doubles) }
        return .tensor(try tensor(name))
    }

    /// The numbers in row-major order, as doubles.
    func flat(_ name: String) throws(EvaluationError) -> [Double] {
        switch try numbers(name) {
        case .doubles(let values): values
        case .tensor(let tensor): tensor.values.map(Double.init)
        }
    }
}
