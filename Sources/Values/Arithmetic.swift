import CommandLanguage
import Foundation
import Tensors

/// The operators, on values.
enum Arithmetic {
    package static func unary(_ operation: UnaryOperator, _ value: Value) throws(EvaluationError)
        -> Value
    {
        switch operation {
        case .not:
            if value.isMask, let mask = value.asTensor {
                return .tensor(Broadcasting.map(mask) { $0 == 0 ? 1 : 0 })
            }
            return .bool(!(try truth(value)))
        case .minus, .plus:
            let sign: Float = operation == .minus ? -1 : 1
            switch value {
            case .number(let number): return .number(Double(sign) * number)
            case .bool, .null, .text, .list, .record:
                throw .wrongKind(
                    role: "what follows `\(operation.rawValue)`", expected: "a number or a tensor",
                    found: value.aKind)
            default:
                guard let tensor = value.asTensor else {
                    throw .wrongKind(
                        role: "what follows `\(operation.rawValue)`",
                        expected: "a number or a tensor", found: value.aKind)
                }
                return .tensor(Broadcasting.map(tensor) { sign * $0 })
            }
        }
    }

    /// All operators, `and` and `or` only of masks: of truth values they may skip their right side,
    /// which only the evaluator can.
    package static func binary(
        _ operation: BinaryOperator, _ left: Value, _ right: Value
    ) throws(EvaluationError) -> Value {
        switch operation {
        case .equal, .notEqual: return try equality(operation, left, right)
        case .matrixProduct: return try product(left, right)
        case .isIn: return .bool(try contains(right, left))
        case .isNotIn: return .bool(!(try contains(right, left)))
        case .and, .or:
            guard left.isMask, right.isMask, let a = left.asTensor, let b = right.asTensor else {
                throw .notATruthValue(left.isMask ? right.aKind : left.aKind)
            }
            return try tensors(operation, a, b)
        default: break
        }
        switch (left, right) {
        case (.number(let a), .number(let b)): return try numbers(operation, a, b)
        case (.text(let a), .text(let b)):
            switch operation {
            case .add:
                try Limits.check(textBytes: a.utf8.count + b.utf8.count)
                return .text(a + b)
            case .less: return .bool(a < b)
            case .lessOrEqual: return .bool(a <= b)
            case .greater: return .bool(a > b)
            case .greaterOrEqual: return .bool(a >= b)
            default: break
            }
        case (.list(let a), .list(let b)) where operation == .add:
            try Limits.check(listCount: a.count + b.count)
            return .list(a + b)
        // A list also joins with objects that are lists: `principles + [{…}]`.
        case (.list(let a), .object(let object)) where operation == .add && object.isJoinable:
            return .list(a + object.items)
        case (.object(let object), .list(let b)) where operation == .add && object.isJoinable:
            return .list(object.items + b)
        case (.object(let a), .object(let b))
        where operation == .add && a.isJoinable && b.isJoinable:
            return .list(a.items + b.items)
        case (.object(let a as any PoolableObject), .object(let b)) where operation == .add:
            if let pool = try a.pooled(with: b) { return pool }
        default:
            if left.holdsNumbers, right.holdsNumbers, let a = left.asTensor, let b = right.asTensor
            {
                return try tensors(operation, a, b)
            }
        }
        if case .list = left {
            throw .listArithmetic(operation: operation.rawValue, right.aKind)
        }
        throw .badOperands(operation: operation.rawValue, left.aKind, right.aKind)
    }

    /// Whether a list has an item, a text a part, a record a key, or a tensor a number.
    private static func contains(_ whole: Value, _ part: Value) throws(EvaluationError) -> Bool {
        switch whole {
        case .text(let text):
            guard case .text(let piece) = part else {
                throw .wrongKind(
                    role: "what text may contain", expected: "text", found: part.aKind)
            }
            return piece.isEmpty || text.contains(piece)
        case .record(let record):
            if case .text(let key) = part { return record[key] != nil }
            return false
        default:
            guard let items = whole.loopItems else {
                throw .wrongKind(
                    role: "what follows `in`", expected: "a list or text", found: whole.aKind)
            }
            return items.contains { $0.equals(part) }
        }
    }

    package static func truth(_ value: Value) throws(EvaluationError) -> Bool {
        switch value {
        case .bool(let truth): return truth
        default: throw .notATruthValue(value.aKind)
        }
    }

    private static func numbers(
        _ operation: BinaryOperator, _ a: Double, _ b: Double
    ) throws(EvaluationError) -> Value {
        switch operation {
        case .add: return .number(a + b)
        case .subtract: return .number(a - b)
        case .multiply: return .number(a * b)
        case .divide:
            guard b != 0 else { throw .divisionByZero }
            return .number(a / b)
        case .floorDivide:
            guard b != 0 else { throw .divisionByZero }
            return .number((a / b).rounded(.down))
        case .remainder:
            guard b != 0 else { throw .divisionByZero }
            return .number(a - (a / b).rounded(.down) * b)
        case .power: return .number(pow(a, b))
        case .less: return .bool(a < b)
        case .lessOrEqual: return .bool(a <= b)
        case .greater: return .bool(a > b)
        case .greaterOrEqual: return .bool(a >= b)
        case .or, .and, .equal, .notEqual, .matrixProduct, .isIn, .isNotIn: return .null
        }
    }

    /// Division by zero gives inf or nan, as in every array language. The summary of a tensor
    /// counts such values.
    private static func tensors(
        _ operation: BinaryOperator, _ a: Tensor, _ b: Tensor
    ) throws(EvaluationError) -> Value {
        let body: (Float, Float) -> Float
        switch operation {
        case .add: body = { $0 + $1 }
        case .subtract: body = { $0 - $1 }
        case .multiply: body = { $0 * $1 }
        case .divide: body = { $0 / $1 }
        case .floorDivide: body = { ($0 / $1).rounded(.down) }
        case .remainder: body = { $0 - ($0 / $1).rounded(.down) * $1 }
        case .power: body = { powf($0, $1) }
        case .less: body = { $0 < $1 ? 1 : 0 }
        case .lessOrEqual: body = { $0 <= $1 ? 1 : 0 }
        case .greater: body = { $0 > $1 ? 1 : 0 }
        case .greaterOrEqual: body = { $0 >= $1 ? 1 : 0 }
        case .equal: body = { $0 == $1 ? 1 : 0 }
        case .notEqual: body = { $0 != $1 ? 1 : 0 }
        case .and: body = { $0 != 0 && $1 != 0 ? 1 : 0 }
        case .or: body = { $0 != 0 || $1 != 0 ? 1 : 0 }
        case .matrixProduct, .isIn, .isNotIn: body = { a, _ in a }
        }
        guard let shape = Broadcasting.shape(a.shape, b.shape) else {
            throw .shapesDiffer(operation: operation.rawValue, a.shape, b.shape)
        }
        try Limits.check(shape)
        return .tensor(Broadcasting.combine(a, b, shape, body))
    }

    /// Element by element if one side is a tensor, otherwise one truth value.
    private static func equality(
        _ operation: BinaryOperator, _ left: Value, _ right: Value
    ) throws(EvaluationError) -> Value {
        if left.isTensor || right.isTensor, left.holdsNumbers, right.holdsNumbers,
            let a = left.asTensor, let b = right.asTensor
        {
            return try tensors(operation, a, b)
        }
        if case (.number(let a), .number(let b)) = (left, right), a == b, a == a.rounded(),
            a.magnitude >= 9_007_199_254_740_992, a.isFinite
        {
            throw .other(
                "whole numbers are exact up to 2^53; whether these two are equal is not known")
        }
        return .bool(left.equals(right) == (operation == .equal))
    }

    /// `a @ b`: the last axis of `a` with the last but one of `b`; leading axes of `a` remain.
    private static func product(_ left: Value, _ right: Value) throws(EvaluationError) -> Value {
        guard let a = left.asTensor, let b = right.asTensor, !left.isNumber, !right.isNumber else {
            throw .badOperands(operation: "@", left.aKind, right.aKind)
        }
        guard let inner = a.shape.last, let first = b.shape.first, b.shape.count <= 2,
            inner == first
        else { throw .productShapes(a.shape, b.shape) }
        let columns = b.shape.count == 2 ? b.shape[1] : 1
        let shape = Array(a.shape.dropLast()) + (b.shape.count == 2 ? [columns] : [])
        try Limits.check(shape)
        let matrix = b.reshaped([inner, columns])
        let rows = inner == 0 ? a.shape.dropLast().reduce(1, *) : a.count / inner
        var result = Tensor(zeros: [rows, columns])
        if inner > 0, rows > 0, columns > 0 {
            multiply(a.reshaped([rows, inner]), matrix, into: &result)
        }
        if shape.isEmpty { return .number(Double(result.values.first ?? 0)) }
        return .tensor(result.reshaped(shape))
    }
}

extension Value {
    var isTensor: Bool {
        switch self {
        case .tensor: true
        case .object(let object): object is any TensorObject
        default: false
        }
    }

    /// Whether `and`, `or` and `not` work on each of its elements: a tensor, or a list of truth
    /// values.
    var isMask: Bool {
        switch self {
        case .tensor(let tensor): return !tensor.shape.isEmpty
        case .list(let items): return Selector.mask(items) != nil
        default: return false
        }
    }

    /// The items that a loop visits: those of a list, the rows of a tensor, the characters of a
    /// text, the keys of a record. Nil for anything else.
    package var loopItems: [Value]? {
        switch self {
        case .list(let items): items
        case .record(let record): record.keys.map(Value.text)
        case .text(let text): text.map { .text(String($0)) }
        case .tensor(let tensor):
            tensor.shape.first.map { count in
                (0..<count).compactMap { try? tensor.selecting([.index($0)]) }
            }
        case .object(let object): object.count.map { (0..<$0).map { object.item($0) } }
        case .null, .bool, .number: nil
        }
    }

    package var isNumber: Bool {
        if case .number = self { return true }
        return false
    }

    /// Whether element-wise arithmetic accepts the value. A list can be combined with a tensor, but
    /// two lists are joined, not added.
    var holdsNumbers: Bool {
        switch self {
        case .number, .tensor: true
        case .object(let object): object is any TensorObject
        default: false
        }
    }

    /// Numbers, nested lists of equal lengths, and objects that are arrays, as a tensor.
    package var asTensor: Tensor? {
        switch self {
        case .number(let number): return Tensor([Float(number)], shape: [])
        case .bool(let truth): return Tensor([truth ? 1 : 0], shape: [])
        case .tensor(let tensor): return tensor
        case .object(let object): return (object as? any TensorObject)?.tensor
        case .list(let items):
            let parts = items.compactMap(\.asTensor)
            guard parts.count == items.count else { return nil }
            let shape = parts.first?.shape ?? []
            guard parts.allSatisfy({ $0.shape == shape }) else { return nil }
            return Tensor(parts.flatMap(\.values), shape: [items.count] + shape)
        default: return nil
        }
    }
}

extension SessionObject {
    /// A list of objects, not an array of numbers.
    fileprivate var isJoinable: Bool { count != nil && !(self is any TensorObject) }

    fileprivate var items: [Value] { (0..<(count ?? 0)).map { item($0) } }
}
