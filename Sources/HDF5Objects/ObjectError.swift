import Files
import JSON
import NumberTypes

/// The reason why a value cannot become an object, or a file does not hold one. Each case becomes a
/// sentence below.
public enum ObjectError: Error {
    case shapeMismatch(type: DType, shape: [Int], bytes: Int)
    case elementMismatch(type: DType, asked: String)
    case kindNotUsable(String)
    case textTooLarge(kind: String, bytes: Int)
    case valueNotStorable(kind: String, StoredValueFault)
    case fileDamaged(file: String, ObjectFault)
}

/// The reason why a value tree cannot be stored.
public enum StoredValueFault: Error, Equatable {
    case tooDeep
    case duplicateKey(String)
}

/// Faults of a file that should hold an object. Values are named by their path in the file.
public enum ObjectFault: Error, Equatable {
    case file(FileError.Reason)
    case notHDF5
    case format(String?)
    case structure(String)
    case link(String)
    case missing(String)
    case unexpected(String)
    case type(String)
    case shape(String)
    case checksum(String)
    case json(JSON.Problem)
    case jsonNames(String)
    case digest
    case seal
    /// A fault of the file of an array, and the array's path in the object.
    indirect case array(_ path: String, file: String, ObjectFault)

    /// The file at fault, if it is not the object's own.
    package var file: String? {
        if case .array(_, let file, _) = self { file } else { nil }
    }
}

extension ObjectError: CustomStringConvertible {
    public var description: String {
        switch self {
        case .shapeMismatch(let type, let shape, let bytes):
            "\(bytes) bytes are not an array of \(type.rawValue) with shape \(shape)."
        case .elementMismatch(let type, let asked):
            "An array of \(type.rawValue) cannot be read as \(asked)."
        case .kindNotUsable(let kind):
            "'\(shortened(kind))' cannot be the kind of a value: it takes 1 to 255 bytes without NUL."
        case .textTooLarge(let kind, let bytes):
            "The text of this \(kind) takes \(bytes) bytes; one value can hold 2 GiB. Split it."
        case .valueNotStorable(let kind, let reason):
            "This \(kind) cannot be stored: \(reason)."
        case .fileDamaged(let file, let fault): "'\(file)' cannot be used: \(fault)."
        }
    }
}

extension ObjectFault: CustomStringConvertible {
    public var description: String {
        switch self {
        case .file(.absent): "the file is missing"
        case .file(.notRegular), .file(.isFolder):
            "it is a link, a folder or a device, not a plain file"
        case .file(.tooShort(let expected, let found)):
            "it is truncated (\(found) of \(expected) bytes)"
        case .file(let reason): "\(reason)"
        case .notHDF5: "it does not begin like an HDF5 file"
        case .format(let found):
            found.map { "it is '\(shortened($0))' and not '\(ObjectFile.format)'" }
                ?? "it is an HDF5 file that this program did not write"
        case .structure(let what):
            "its HDF5 structure is not one that this program writes (\(what))"
        case .link(let path): "'\(path)' is a link, and links are not followed"
        case .missing(let path): "'\(path)' is missing in it"
        case .unexpected(let path): "'\(path)' does not belong in it"
        case .type(let path): "the type of '\(path)' is not one that this program writes"
        case .shape(let path): "the shape of '\(path)' does not fit its size"
        case .checksum(let path): "the bytes of '\(path)' differ from their checksum"
        case .json(let error): "its JSON is wrong: \(error)"
        case .jsonNames(let path): "its JSON names '\(shortened(path))', which is not there"
        case .digest: "its content differs from its digest"
        case .seal: "the checksum of its structure is wrong"
        case .array(let path, _, let fault): "array '\(shortened(path))': \(fault)"
        }
    }
}

extension StoredValueFault: CustomStringConvertible {
    public var description: String {
        switch self {
        case .tooDeep: "it is nested more than \(StoredValue.maximumDepth) deep"
        case .duplicateKey(let key): "the key '\(shortened(key))' occurs twice"
        }
    }
}

/// A number of bytes with a unit: "1.5 MiB".
package func readable(_ bytes: Int) -> String {
    let units = ["bytes", "KiB", "MiB", "GiB", "TiB"]
    var value = Double(bytes)
    var unit = 0
    while value >= 1024, unit + 1 < units.count {
        value /= 1024
        unit += 1
    }
    if unit == 0 { return "\(bytes) bytes" }
    let tenths = Int((value * 10).rounded())
    return "\(tenths / 10).\(tenths % 10) \(units[unit])"
}

/// External text for use in a sentence: one line of limited length.
package func shortened(_ text: String) -> String {
    let line = text.split(whereSeparator: \.isNewline).first.map(String.init) ?? ""
    let isWhole = line.utf8.count == text.utf8.count
    if isWhole, line.count <= 60 { return line }
    return String(line.prefix(57)) + "…"
}
