/// A value without parts: the leaves of a `Codable` value, except for arrays.
///
/// The forms are those of `JSONEncoder`, which wrote the values of version 0.1.0, so that equal
/// values keep their digests. Where its JSON lost bits, the form is another one.
protocol StoredScalar {
    var stored: StoredValue { get }

    /// Throws if the stored value has another form, or lies outside the range of the type.
    init(stored: StoredValue) throws(StoredFormFault)
}

extension Bool: StoredScalar {
    var stored: StoredValue { .bool(self) }

    init(stored: StoredValue) throws(StoredFormFault) {
        guard case .bool(let flag) = stored else { throw .mismatch(expected: "a boolean", stored) }
        self = flag
    }
}

extension String: StoredScalar {
    var stored: StoredValue { .text(self) }

    init(stored: StoredValue) throws(StoredFormFault) {
        guard case .text(let text) = stored else { throw .mismatch(expected: "a text", stored) }
        self = text
    }
}

/// A finite number is a number; any other is the text "nan", "inf" or "-inf".
extension Double: StoredScalar {
    var stored: StoredValue {
        isFinite ? .number(self) : .text(isNaN ? "nan" : self < 0 ? "-inf" : "inf")
    }

    init(stored: StoredValue) throws(StoredFormFault) {
        switch stored {
        case .number(let number): self = number
        case .text("nan"): self = .nan
        case .text("inf"): self = .infinity
        case .text("-inf"): self = -.infinity
        default: throw .mismatch(expected: "a number", stored)
        }
    }
}

/// The number with the shortest digits that give the same float32: 0.1, not 0.10000000149011612.
extension Float: StoredScalar {
    var stored: StoredValue {
        guard isFinite else { return Double(self).stored }
        guard let shortest = Double(description), Float(shortest) == self else {
            return .number(Double(self))
        }
        return .number(shortest)
    }

    init(stored: StoredValue) throws(StoredFormFault) {
        let number = try Double(stored: stored)
        self = Float(number)
        guard isFinite || !number.isFinite else { throw .outOfRange(number) }
    }
}

/// A number. An integer that a double cannot represent exactly is text.
extension StoredScalar where Self: FixedWidthInteger {
    var stored: StoredValue {
        Double(exactly: self).map(StoredValue.number) ?? .text(String(self))
    }

    init(stored: StoredValue) throws(StoredFormFault) {
        switch stored {
        case .number(let number):
            guard number.rounded() == number else { throw .notWhole(number) }
            guard let whole = Self(exactly: number) else { throw .outOfRange(number) }
            self = whole
        case .text(let text):
            // Only the form that `stored` writes: "7" and "007" are texts.
            guard let whole = Self(text), whole.stored == stored else {
                throw .mismatch(expected: "a number", stored)
            }
            self = whole
        default: throw .mismatch(expected: "a number", stored)
        }
    }
}

extension Int: StoredScalar {}
extension Int8: StoredScalar {}
extension Int16: StoredScalar {}
extension Int32: StoredScalar {}
extension Int64: StoredScalar {}
extension UInt: StoredScalar {}
extension UInt8: StoredScalar {}
extension UInt16: StoredScalar {}
extension UInt32: StoredScalar {}
extension UInt64: StoredScalar {}
