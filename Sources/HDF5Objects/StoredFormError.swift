/// A stored value that does not have the form of the Swift type that is read from it: another
/// program or a newer version wrote it.
public struct StoredFormError: Error, CustomStringConvertible {
    /// The field, as a user writes it: `groups[3].id`; empty for the value itself.
    public let path: String
    public let fault: StoredFormFault

    init(path: [any CodingKey], fault: StoredFormFault) {
        var text = ""
        for key in path where !key.stringValue.isEmpty {
            if let place = key.intValue {
                text += "[\(place)]"
            } else {
                text += (text.isEmpty ? "" : ".") + key.stringValue
            }
        }
        self.path = text
        self.fault = fault
    }

    /// An error of a type's own `init(from:)`, or of the standard library.
    init(_ error: DecodingError) {
        switch error {
        case .keyNotFound(let key, let context):
            self.init(path: context.codingPath + [key], fault: .missing)
        case .valueNotFound(_, let context): self.init(path: context.codingPath, fault: .missing)
        case .dataCorrupted(let context):
            self.init(path: context.codingPath, fault: .refused(context.debugDescription))
        // The standard library's own text of a type mismatch names Swift types.
        case .typeMismatch(_, let context): self.init(path: context.codingPath, fault: .otherForm)
        @unknown default: self.init(path: [], fault: .otherForm)
        }
    }

    /// "groups[3].id: a text was expected, not a number"
    public var description: String { path.isEmpty ? "\(fault)" : "\(path): \(fault)" }
}

public enum StoredFormFault: Error, CustomStringConvertible {
    case missing
    case mismatch(expected: String, StoredValue)
    case notWhole(Double)
    case outOfRange(Double)
    case unknownWord(String, allowed: [String])
    case tooDeep
    /// None of the forms that the type has.
    case otherForm
    /// The reason of a type that checks its own values.
    case refused(String)

    public var description: String {
        switch self {
        case .missing: "it is missing"
        case .mismatch(let expected, let value): "\(expected) was expected, not \(value.form)"
        case .notWhole(let number): "\(number) is not a whole number"
        case .outOfRange(let number): "\(number) is out of range"
        case .unknownWord(let word, let allowed):
            "\"\(word.prefix(60))\" is none of \(allowed.joined(separator: ", "))"
        case .tooDeep: "it is nested more than \(StoredValue.maximumDepth) deep"
        case .otherForm: "it has another form"
        case .refused(let reason): reason
        }
    }
}

extension StoredValue {
    /// In words, for a sentence.
    fileprivate var form: String {
        switch self {
        case .null: "null"
        case .bool: "a boolean"
        case .number: "a number"
        case .text: "a text"
        case .list: "a list"
        case .record: "a record"
        case .array: "an array"
        }
    }
}

/// The words of an enumeration of texts; nil for any other type.
func allowedWords(of type: Any.Type) -> [String]? {
    func words<Cases: CaseIterable>(_ type: Cases.Type) -> [String]? {
        let words = type.allCases.compactMap { ($0 as? any RawRepresentable)?.rawValue as? String }
        return words.isEmpty ? nil : words
    }
    return (type as? any CaseIterable.Type).flatMap { words($0) }
}
