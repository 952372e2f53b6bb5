import CommandLanguage
import DataFiles
import Files
import Foundation
import HDF5Objects
import JSON
import NumberTypes
import Rendering
import Tensors
import Transformers
import Values

/// Tensors of a file that a user names: `.npy`, `.safetensors`, `.h5`, `.csv` or `.json`.
///
/// The values are copied out of the file, so that nothing depends on the file afterwards.
struct TensorFile {
    /// The tensors in the order of the file. A file of one array has no name for it.
    var tensors: [(name: String?, tensor: Tensor)] = []
    /// Values that float32 does not hold exactly, and their type in the file.
    private(set) var rounded: (count: Int, type: String)?

    static let extensions = ["npy", "safetensors", "h5", "csv", "json"]

    /// - Parameters:
    ///   - shown: the path as the user wrote it.
    ///   - name: the only tensor that is wanted; nil for all.
    init(_ path: String, shown: String, name: String?) throws {
        _ = try FileReading.size(path, shown: shown)
        switch FileReading.format(of: shown) {
        case "npy": try readNumPy(FileReading.data(path, shown: shown), shown)
        case "safetensors": try readSafeTensors(path, shown, name)
        case "h5": try readHDF5(path, shown, name)
        case "csv": try readCSV(FileReading.data(path, shown: shown), shown)
        case "json": try readJSON(FileReading.data(path, shown: shown), shown)
        case let other: throw TensorFile.unknown(other)
        }
        guard let name else { return }
        guard tensors.count != 1 || tensors[0].name != nil else {
            throw EvaluationError.other("\(shown) holds one array, and it has no name")
        }
        tensors.removeAll { $0.name != name }
    }

    private static func unknown(_ name: String) -> EvaluationError {
        let known = "use " + Sentence.alternatives(extensions.map { "." + $0 })
        switch name {
        case "npz":
            return .other(
                "tensors of a .npz archive are not read",
                suggestion: "numpy.save writes one array as .npy")
        case "pt", "pth", "bin", "pkl", "ckpt":
            return .other(
                "a .\(name) file is a pickle, and reading it would run its author's code",
                suggestion: "safetensors.torch.save_file writes .safetensors")
        case "":
            return .other("the file name has no extension to give the format", suggestion: known)
        default: return .other("tensors are not read from `.\(name)`", suggestion: known)
        }
    }

    private func bad(_ shown: String, _ problem: String) -> EvaluationError {
        .badFile(path: shown, problem: problem)
    }

    // MARK: Formats

    private mutating func readNumPy(_ data: Data, _ shown: String) throws {
        try data.withUnsafeBytes { bytes in
            let file: NumPyFile
            do throws(NumPyFile.Fault) {
                file = try NumPyFile(bytes)
            } catch {
                throw bad(shown, "\(error)")
            }
            let shape = file.isColumnMajor ? file.shape.reversed() : file.shape
            let values = UnsafeRawBufferPointer(rebasing: bytes[file.values])
            let tensor = try copied(values, file.type, shape)
            tensors = [(nil, file.isColumnMajor ? tensor.transposed : tensor)]
        }
    }

    private mutating func readSafeTensors(_ path: String, _ shown: String, _ name: String?) throws {
        let file = try SafeTensors(path: path, shownAs: shown)
        let wanted = try TensorFile.wanted(name, among: file.names, shown)
        try checkSize(
            wanted.reduce(0) { $0 + 4 * (file.entries[$1]?.count ?? 0) }, shown)
        for name in wanted {
            guard let entry = file.entries[name], let type = entry.type,
                let tensor = file.tensor(name)
            else {
                throw bad(
                    shown,
                    "tensor \"\(name)\" has 8-bit floats, whose scales are in other tensors; "
                        + "they are not read")
            }
            try Limits.check(entry.shape)
            // A type that no tensor keeps has become float32 already.
            if type.isComputed {
                tensors.append(
                    (name, try tensor.withUnsafeBytes { try copied($0, type, entry.shape) }))
            } else {
                tensors.append((name, tensor))
            }
        }
    }

    private mutating func readHDF5(_ path: String, _ shown: String, _ name: String?) throws {
        var arrays: [(name: String, array: StoredArray)] = []
        do {
            do {
                TensorFile.collect(try StoredObject(contentsOf: path).value, "", into: &arrays)
            } catch ObjectError.fileDamaged(_, .seal) {
                // Other programs write the same structures without this program's checksum.
                arrays = try TensorFile.foreignArrays(path)
            }
        } catch ObjectError.fileDamaged(_, .structure(let what)) {
            throw EvaluationError.other(
                "\(shown): \(ObjectFault.structure(what))",
                suggestion: "numpy.save writes an array as .npy")
        } catch ObjectError.fileDamaged(_, let fault) {
            throw bad(shown, "\(fault)")
        }
        guard !arrays.isEmpty else { throw bad(shown, "it holds no array") }
        let wanted = try TensorFile.wanted(name, among: arrays.map(\.name), shown)
        arrays.removeAll { !wanted.contains($0.name) }
        try checkSize(arrays.reduce(0) { $0 + 4 * $1.array.count }, shown)
        for (name, array) in arrays {
            tensors.append((name, try copied(array.memory.buffer, array.type, array.shape)))
        }
    }

    /// The arrays of an HDF5 file of another program, each with its path.
    private static func foreignArrays(
        _ path: String
    ) throws(ObjectError) -> [(name: String, array: StoredArray)] {
        do {
            let file = try HDF5Reader(path, isSealed: false)
            return try file.datasets(under: file.root).filter { $0.type != .text }.map {
                ($0.path, try ObjectFile.array($0, in: file))
            }
        } catch let fault as ObjectFault {
            // A file of this program is longer than its structure says.
            if case .file = fault { throw .fileDamaged(file: path, .seal) }
            throw .fileDamaged(file: path, fault)
        } catch {
            throw .fileDamaged(file: path, .structure("\(error)"))
        }
    }

    /// The arrays of a stored value, each with its path.
    private static func collect(
        _ value: StoredValue, _ path: String,
        into arrays: inout [(name: String, array: StoredArray)]
    ) {
        func child(_ key: String) -> String { path.isEmpty ? key : path + "/" + key }
        switch value {
        case .array(let array): arrays.append((path.isEmpty ? "array" : path, array))
        case .record(let record):
            for field in record.fields { collect(field.value, child(field.key), into: &arrays) }
        case .list(let items):
            for (index, item) in items.enumerated() {
                collect(item, child("\(index)"), into: &arrays)
            }
        default: break
        }
    }

    /// A matrix row by row; a first row without any number is a title. One column is a vector, as
    /// for numpy.loadtxt.
    private mutating func readCSV(_ data: Data, _ shown: String) throws {
        var reader = CSV.Reader([UInt8](data))
        var values: [Float] = []
        var columns = 0
        var rows = 0
        do {
            while let row = try reader.next() {
                if rows == 0, columns == 0 {
                    columns = row.cells.count
                    if row.cells.allSatisfy({ CSV.float($0.text) == nil && $0 != .empty }) {
                        continue
                    }
                }
                guard row.cells.count == columns else {
                    throw EvaluationError.badLine(
                        path: shown, line: row.line,
                        problem: "it has \(NumberText.count(row.cells.count, "cell")), and the "
                            + "first line has \(columns)")
                }
                for (column, cell) in row.cells.enumerated() {
                    guard let number = cell == .empty ? .nan : CSV.float(cell.text) else {
                        throw EvaluationError.badLine(
                            path: shown, line: row.line,
                            problem: "\(Value.text(cell.text).summary) in column \(column) is not "
                                + "a number; `load table` reads text too")
                    }
                    values.append(number)
                }
                rows += 1
                try Limits.check([values.count])
            }
        } catch let fault as CSV.Fault {
            throw EvaluationError.badLine(path: shown, line: fault.line, problem: "\(fault)")
        }
        guard rows > 0 else { throw bad(shown, "it has no line of numbers") }
        tensors = [(nil, Tensor(values, shape: columns == 1 ? [rows] : [rows, columns]))]
    }

    /// Numbers in nested lists of equal lengths; null stands for nan.
    private mutating func readJSON(_ data: Data, _ shown: String) throws {
        let json: JSON
        do throws(JSON.Problem) {
            json = try JSON.read(data)
        } catch {
            throw bad(shown, "\(error)")
        }
        var shape: [Int] = []
        var values: [Float] = []
        guard TensorFile.collect(json, depth: 0, &shape, into: &values) else {
            throw bad(
                shown,
                "a tensor is numbers in lists of equal lengths; `load table` reads other values")
        }
        try Limits.check(shape)
        tensors = [(nil, Tensor(values, shape: shape))]
    }

    private static func collect(
        _ json: JSON, depth: Int, _ shape: inout [Int], into values: inout [Float]
    ) -> Bool {
        switch json {
        case .number(let digits):
            values.append(Float(digits) ?? .nan)
            return depth == shape.count
        case .null:
            values.append(.nan)
            return depth == shape.count
        case .array(let items):
            // The first list of each depth gives the size of its axis.
            if depth == shape.count, values.isEmpty { shape.append(items.count) }
            guard depth < shape.count, shape[depth] == items.count else { return false }
            return items.allSatisfy { collect($0, depth: depth + 1, &shape, into: &values) }
        default: return false
        }
    }

    // MARK: Values

    private static func wanted(
        _ name: String?, among names: [String], _ shown: String
    ) throws -> [String] {
        guard let name else { return names }
        guard names.contains(name) else {
            throw EvaluationError.unknownField(
                name, owner: shown, nearest: nearest(name, in: names), fields: names)
        }
        return [name]
    }

    private func checkSize(_ bytes: Int, _ shown: String) throws {
        guard bytes <= Limits.current.file else {
            throw EvaluationError.other(
                "\(shown) holds \(NumberText.bytes(bytes)) of numbers, and file_limit is "
                    + NumberText.bytes(Limits.current.file),
                suggestion: "name= picks one tensor")
        }
    }

    /// A copy of stored elements. Counts those that float32 rounds.
    private mutating func copied(
        _ bytes: UnsafeRawBufferPointer, _ type: DType, _ shape: [Int]
    ) throws -> Tensor {
        try Limits.check(shape)
        let tensor = Tensor(bytes: bytes, type, shape: shape)
        let changed = TensorFile.roundedCount(bytes, type, tensor)
        if changed > 0 { rounded = ((rounded?.count ?? 0) + changed, type.rawValue) }
        return tensor
    }

    private static func roundedCount(
        _ bytes: UnsafeRawBufferPointer, _ type: DType, _ tensor: Tensor
    ) -> Int {
        func count<Element: BitwiseCopyable>(
            _ element: Element.Type, _ isExact: (Element, Float) -> Bool
        ) -> Int {
            tensor.withUnsafeBufferPointer { values in
                values.indices.count { index in
                    !isExact(
                        bytes.loadUnaligned(
                            fromByteOffset: index * MemoryLayout<Element>.size, as: element),
                        values[index])
                }
            }
        }
        switch type {
        case .float64: return count(Double.self) { Double($1) == $0 || $0.isNaN }
        case .int64: return count(Int64.self) { Int64(exactly: $1) == $0 }
        case .int32: return count(Int32.self) { Int32(exactly: $1) == $0 }
        case .uint64: return count(UInt64.self) { UInt64(exactly: $1) == $0 }
        case .uint32: return count(UInt32.self) { UInt32(exactly: $1) == $0 }
        default: return 0
        }
    }
}
