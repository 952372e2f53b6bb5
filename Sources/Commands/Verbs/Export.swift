import CommandLanguage
import Foundation
import HDF5Objects
import Rendering
import Tensors
import Transformers
import Values

extension CommandTable {
    static let exportCommand = Command(
        "export", .data, "writes a value to a file; the file name's extension gives the format",
        about: """
            .safetensors, .npy and .h5 hold arrays, .json and .jsonl plain values, .csv tables, \
            .svg and .png pictures. A model goes into a Hugging Face directory.
            """,
        effect: .looks,
        operands: [
            .required("value", .value, "a name or an expression"),
            .required("path", .path, "a file, or for a model a folder"),
        ],
        example: "export logprobs logprobs.json", run: export)

    private static func export(_ invocation: Invocation) throws -> CommandResult {
        guard let argument = invocation.argument("value"), let shown = try invocation.text("path"),
            let path = try invocation.writablePath("path")
        else { return CommandResult() }
        let value = try invocation.value(argument)
        let name = exportName(argument, value)
        let written = (shown as NSString).pathExtension.lowercased()
        if value.object(ModelObject.self) != nil, foreignModelFiles.contains(written) {
            throw invocation.error(
                "a model becomes a folder in Hugging Face form, and .\(written) is not written",
                suggestion: "a path without an extension", at: "path")
        }
        if let model = value.object(ModelObject.self), isFolder(shown, path) {
            do {
                try ModelFiles.write(model, to: path, shown: shown)
            } catch {
                throw invocation.located(error, at: "path")
            }
            return CommandResult(text: StyledText("wrote \(shown)/"))
        }
        var shownExtension = (shown as NSString).pathExtension.lowercased()
        if shownExtension == "hdf5" { shownExtension = "h5" }
        do {
            switch shownExtension {
            case "svg", "png":
                try invocation.write(
                    try Picture(value, column: nil, title: nil, invocation), to: path, shown: shown)
            case "h5":
                let object = StoredObject(kind: value.kind, value: try value.namedStored(name))
                let folder = (path as NSString).deletingLastPathComponent
                guard FileManager.default.fileExists(atPath: folder) else {
                    throw EvaluationError.notWritable(shown, reason: "there is no folder \(folder)")
                }
                try object.write(to: path)
            default:
                guard let writer = Export.writers[shownExtension] else {
                    throw EvaluationError.unknownExtension(
                        shownExtension, kind: value.aKind,
                        known: Export.fitting(value, name))
                }
                guard let data = writer(value, name) else {
                    throw EvaluationError.unknownExtension(
                        shownExtension, kind: value.aKind, known: Export.fitting(value, name))
                }
                try FileWriting.write(data, to: path, shown: shown)
            }
        } catch let error as LocatedError {
            throw error
        } catch {
            throw invocation.located(error, at: "path")
        }
        let size = (try? FileManager.default.attributesOfItem(atPath: path))?[.size] as? NSNumber
        return CommandResult(
            text: StyledText("wrote \(shown), \(NumberText.bytes(size?.intValue ?? 0))"))
    }

    /// A model is exported to a folder, unless the file's extension asks for its tensors.
    private static func isFolder(_ shown: String, _ path: String) -> Bool {
        var isFolder: ObjCBool = false
        if FileManager.default.fileExists(atPath: path, isDirectory: &isFolder) {
            return isFolder.boolValue
        }
        let known = ["safetensors", "h5", "hdf5", "json", "npy", "csv", "jsonl", "svg", "png"]
        return !known.contains((shown as NSString).pathExtension.lowercased())
    }

    /// Extensions of other programs' model files.
    private static let foreignModelFiles: Set<String> = [
        "gguf", "ggml", "bin", "pt", "pth", "onnx", "ckpt",
    ]

    /// The name of a tensor in the file: its own name, or the name of its kind.
    private static func exportName(_ argument: Argument, _ value: Value) -> String {
        if case .expression(let node) = argument.value, case .name(let name) = node.expression,
            name != "_"
        {
            return name
        }
        return value.kind
    }
}

/// Values as file contents.
enum Export {
    /// Each writer returns nil for a value that its format cannot represent.
    static let writers: [String: @Sendable (Value, String) -> Data?] = [
        "json": { value, _ in Data((value.prettyJSON + "\n").utf8) },
        "jsonl": { value, _ in jsonLines(value) },
        "csv": { value, _ in csv(value) },
        "npy": { value, _ in value.asTensor.map(npy) },
        "safetensors": { value, name in safeTensors(value, name) },
    ]

    static func fitting(_ value: Value, _ name: String) -> [String] {
        writers.keys.sorted().filter { writers[$0]?(value, name) != nil } + ["h5"]
    }

    private static func plain(_ value: Value) -> Value {
        if case .object(let object) = value { return object.jsonValue }
        return value
    }

    private static func jsonLines(_ value: Value) -> Data? {
        guard case .list(let items) = plain(value) else { return nil }
        return Data(items.map { $0.json + "\n" }.joined().utf8)
    }

    static func safeTensors(_ value: Value, _ name: String) -> Data? {
        if let tensor = value.asTensor {
            return SafeTensors.encode([(name: name, tensor: tensor)])
        }
        let record: Record
        switch value {
        case .object(let model as ModelObject): record = model.tensorRecord
        case .object(let gradients as GradientsObject): record = gradients.tensorRecord
        case .record(let fields): record = fields
        default: return nil
        }
        var tensors: [(name: String, tensor: Tensor)] = []
        for (key, value) in record {
            guard let tensor = value.asTensor else { return nil }
            tensors.append((key, tensor))
        }
        return tensors.isEmpty ? nil : SafeTensors.encode(tensors)
    }

    /// NumPy's format, version 1.0: a header padded to 64 bytes, then the values in C order.
    static func npy(_ tensor: Tensor) -> Data {
        let shape =
            "(" + tensor.shape.map(String.init).joined(separator: ", ")
            + (tensor.shape.count == 1 ? ",)" : ")")
        var header = "{'descr': '<f4', 'fortran_order': False, 'shape': \(shape), }"
        header +=
            String(repeating: " ", count: (64 - (10 + header.utf8.count + 1) % 64) % 64) + "\n"
        var data = Data([0x93] + Array("NUMPY".utf8) + [1, 0])
        data.append(UInt8(header.utf8.count & 0xFF))
        data.append(UInt8(header.utf8.count >> 8))
        data.append(contentsOf: header.utf8)
        tensor.withUnsafeBufferPointer { data.append(Data(buffer: $0)) }
        return data
    }

    /// A matrix row by row, or a list of records with a header line of field names.
    private static func csv(_ value: Value) -> Data? {
        if let tensor = value.asTensor, (1...2).contains(tensor.shape.count) {
            let columns = tensor.shape.count == 2 ? tensor.shape[1] : 1
            let values = tensor.values
            var text = ""
            for row in 0..<tensor.shape[0] {
                text +=
                    values[row * columns..<(row + 1) * columns].map { "\($0)" }
                    .joined(separator: ",") + "\n"
            }
            return Data(text.utf8)
        }
        var items: [Value]
        switch plain(value) {
        case .list(let list): items = list
        case .record: items = [plain(value)]
        default: return nil
        }
        items = items.map(plain)
        var names: [String] = []
        for case .record(let record) in items {
            for key in record.keys where !names.contains(key) { names.append(key) }
        }
        guard !names.isEmpty else {
            return Data(items.map { cell($0) + "\n" }.joined().utf8)
        }
        var text = names.map { cell(.text($0)) }.joined(separator: ",") + "\n"
        for item in items {
            guard case .record(let record) = item else { return nil }
            text += names.map { cell(record[$0] ?? .null) }.joined(separator: ",") + "\n"
        }
        return Data(text.utf8)
    }

    /// RFC 4180: quotes around a cell with a comma, a quote or a line end.
    private static func cell(_ value: Value) -> String {
        let text: String
        switch value {
        case .null: return ""
        case .text(let string): text = string
        default: text = value.json
        }
        guard text.contains(where: { ",\"".contains($0) || $0.isNewline }) else { return text }
        return "\"" + text.replacingOccurrences(of: "\"", with: "\"\"") + "\""
    }
}

extension Value {
    /// The stored form, with arrays under their own names: the content of `export NAME FILE.h5`.
    fileprivate func namedStored(_ name: String) throws -> StoredValue {
        switch self {
        case .object(let gradients as GradientsObject):
            return try Value.record(gradients.tensorRecord).storedObject().value
        case .object(let model as ModelObject):
            return try Value.record(model.tensorRecord).storedObject().value
        default:
            if let tensor = asTensor {
                return .record(StoredRecord([(name, .array(try StoredArray(tensor)))]))
            }
            if case .object(let object) = self { return try object.jsonValue.storedObject().value }
            return try storedObject().value
        }
    }
}
