import Foundation
import HDF5Objects
import Rendering
import Tokenizers
import Values

/// The first difference between two values that should be equal.
struct ValueDifference: Equatable {
    /// `.loss[3]`; empty for the whole value.
    var place: String
    var before: String
    var now: String
}

/// Compares a statement's values with the values of running it again.
///
/// Texts, ids and everything that is not a number must be equal. Numbers must be equal to the last
/// bit on the same machine with the same threads. Elsewhere sums have another order, and numbers
/// may differ by `absolute + relative · |x|`.
struct ValueComparison {
    static let relative = 1e-3
    static let absolute = 1e-6
    var isExact: Bool
    /// Whether an older version stored the value before, so that it may lack fields of today's.
    var isOlder = false

    func first(_ before: StoredValue, _ now: StoredValue) -> ValueDifference? {
        difference(before, now, at: "")
    }

    private func difference(
        _ before: StoredValue, _ now: StoredValue, at place: String
    ) -> ValueDifference? {
        switch (before, now) {
        case (.number(let old), .number(let new)):
            guard !agree(old, new, areIntegers: isInteger(old) && isInteger(new)) else {
                return nil
            }
            return ValueDifference(place: place, before: "\(old)", now: "\(new)")
        case (.text(let old), .text(let new)):
            guard !old.utf8.elementsEqual(new.utf8) else { return nil }
            return textDifference(old, new, at: place)
        case (.list(let old), .list(let new)):
            for (index, pair) in zip(old, new).enumerated() {
                if let found = difference(pair.0, pair.1, at: place + "[\(index)]") {
                    return found
                }
            }
            return old.count == new.count
                ? nil
                : ValueDifference(
                    place: place, before: NumberText.count(old.count, "item"),
                    now: NumberText.count(new.count, "item"))
        case (.record(let old), .record(let new)):
            for field in old.fields {
                guard let value = new[field.key] else {
                    return ValueDifference(
                        place: place + "." + field.key, before: words(field.value), now: "nothing")
                }
                if let found = difference(field.value, value, at: place + "." + field.key) {
                    return found
                }
            }
            let added = isOlder ? nil : new.fields.first { old[$0.key] == nil }
            return added.map {
                ValueDifference(
                    place: place + "." + $0.key, before: "nothing", now: words($0.value))
            }
        case (.array(let old), .array(let new)): return difference(old, new, at: place)
        case (.null, _) where isOlder: return nil
        default:
            return before == now
                ? nil : ValueDifference(place: place, before: words(before), now: words(now))
        }
    }

    private func difference(
        _ before: StoredArray, _ now: StoredArray, at place: String
    ) -> ValueDifference? {
        guard before.type == now.type, before.shape == now.shape else {
            return ValueDifference(
                place: place, before: words(.array(before)), now: words(.array(now)))
        }
        guard before.bytes != now.bytes else { return nil }
        func first<Element: Equatable & BitwiseCopyable>(
            _ type: Element.Type, _ agree: (Element, Element) -> Bool,
            _ text: (Element) -> String
        ) -> ValueDifference? {
            guard let old = try? before.values(as: type), let new = try? now.values(as: type),
                let index = old.indices.first(where: { !agree(old[$0], new[$0]) })
            else { return nil }
            return ValueDifference(
                place: place + subscripts(index, before.shape), before: text(old[index]),
                now: text(new[index]))
        }
        let isExact = isExact
        switch before.type {
        case .float32:
            return first(
                Float.self,
                {
                    isExact
                        ? $0.bitPattern == $1.bitPattern
                        : agree(Double($0), Double($1), areIntegers: false)
                }, { "\($0)" })
        case .float64:
            return first(
                Double.self,
                {
                    isExact
                        ? $0.bitPattern == $1.bitPattern : agree($0, $1, areIntegers: false)
                }, { "\($0)" })
        case .int32: return first(Int32.self, ==, { "\($0)" })
        case .int64: return first(Int64.self, ==, { "\($0)" })
        case .int16: return first(Int16.self, ==, { "\($0)" })
        case .int8: return first(Int8.self, ==, { "\($0)" })
        case .uint64: return first(UInt64.self, ==, { "\($0)" })
        case .uint32: return first(UInt32.self, ==, { "\($0)" })
        case .uint16: return first(UInt16.self, ==, { "\($0)" })
        case .uint8, .bool: return first(UInt8.self, ==, { "\($0)" })
        case .float16:
            func number(_ bits: UInt16) -> Float { Float(Float16(bitPattern: bits)) }
            return first(
                UInt16.self, { sixteenBits($0, $1, number) }, { "\(number($0))" })
        case .bfloat16:
            func number(_ bits: UInt16) -> Float { Float(bitPattern: UInt32(bits) << 16) }
            return first(
                UInt16.self, { sixteenBits($0, $1, number) }, { "\(number($0))" })
        }
    }

    private func sixteenBits(
        _ old: UInt16, _ new: UInt16, _ number: (UInt16) -> Float
    ) -> Bool {
        old == new
            || !isExact && agree(Double(number(old)), Double(number(new)), areIntegers: false)
    }

    private func agree(_ old: Double, _ new: Double, areIntegers: Bool) -> Bool {
        if old == new || old.isNaN && new.isNaN { return true }
        guard !isExact, !areIntegers, old.isFinite, new.isFinite else { return false }
        return abs(old - new)
            <= Self.absolute + Self.relative * max(abs(old), abs(new))
    }

    /// In JSON ids and counts are numbers too.
    private func isInteger(_ number: Double) -> Bool { number == number.rounded() }

    /// The words around the first difference of two texts.
    private func textDifference(
        _ before: String, _ now: String, at place: String
    ) -> ValueDifference {
        let start = zip(before, now).prefix { $0 == $1 }.count
        func excerpt(_ text: String) -> String {
            let from = max(0, start - 20)
            let part = String(text.dropFirst(from).prefix(60))
            return (from > 0 ? "…" : "") + Value.text(part).summary
        }
        return ValueDifference(place: place, before: excerpt(before), now: excerpt(now))
    }

    private func subscripts(_ index: Int, _ shape: [Int]) -> String {
        var rest = index
        var places: [Int] = []
        for size in shape.reversed() where size > 0 {
            places.append(rest % size)
            rest /= size
        }
        return places.isEmpty
            ? "" : "[" + places.reversed().map { "\($0)" }.joined(separator: ", ") + "]"
    }

    private func words(_ value: StoredValue) -> String {
        switch value {
        case .null: "null"
        case .bool(let truth): "\(truth)"
        case .number(let number): "\(number)"
        case .text(let text): Value.text(String(text.prefix(60))).summary
        case .list(let items): "a list of \(items.count)"
        case .record(let record):
            "a record of " + record.fields.prefix(4).map(\.key).joined(separator: ", ")
        case .array(let array): "\(array.type.rawValue) of shape \(array.shape)"
        }
    }
}
