import DataFiles
import Foundation
import Rendering
import Tensors
import Transformers
import Values

/// Values as file contents.
enum Export {
    /// Each writer returns nil for a value that its format cannot represent.
    static let writers: [String: @Sendable (Value, String) throws(EvaluationError) -> Data?] = [
        "json": { value, _ throws(EvaluationError) in json(value) },
        "jsonl": { value, _ throws(EvaluationError) in jsonLines(value) },
        "csv": { value, _ throws(EvaluationError) in try csv(value) },
        "npy": { value, _ throws(EvaluationError) in value.asTensor.map(npy) },
        "safetensors": { value, name throws(EvaluationError) in safeTensors(value, name) },
        "txt": { value, _ throws(EvaluationError) in value.asText.map { Data($0.utf8) } },
    ]

    /// The extensions that suit a value.
    static func fitting(_ value: Value, _ name: String) -> [String] {
        writers.keys.sorted().filter { format in
            refusal(of: value, as: format) == nil && (try? writers[format]?(value, name)) != nil
        } + ["h5", "html"]
    }

    /// The files that a model can be written to; every other path is a folder.
    static let ofModels = ["safetensors", "h5", "json", "html"]

    /// The reason why a kind of value is not written in a format, with what to do.
    static func refusal(of value: Value, as format: String) -> EvaluationError? {
        if value.object(ModelObject.self) != nil, !format.isEmpty, !ofModels.contains(format),
            otherFiles.contains(format)
        {
            return .other(
                "a model becomes a folder in Hugging Face form, and .\(format) is not written",
                suggestion: "a path without an extension, or .safetensors for the weights alone")
        }
        if value.object(GradientsObject.self) != nil,
            ["csv", "json", "jsonl", "npy"].contains(format)
        {
            return .other(
                "gradients are a tensor for each parameter, and .\(format) cannot hold them well",
                suggestion: "use .safetensors or .h5; `export gradients.norms FILE.csv` has their "
                    + "sizes")
        }
        if format == "parquet" {
            return .other(
                "Parquet is not written",
                suggestion: "use .csv or .jsonl, which pandas, Polars and DuckDB read")
        }
        return nil
    }

    /// What a file lacks, if the value cannot be made from it again.
    static func remark(on value: Value, as format: String) -> String? {
        if value.object(ModelObject.self) != nil, ["json", "html"].contains(format) {
            return "this is a description; a path without an extension writes the model"
        }
        if value.object(OptimizerObject.self) != nil, format != "html" {
            return "this is a description; `export optimizer.squares FILE.safetensors` writes its "
                + "moments"
        }
        return nil
    }

    /// Files that a person may expect a model to become.
    private static let otherFiles: Set<String> = [
        "gguf", "ggml", "bin", "pt", "pth", "onnx", "ckpt", "npy", "npz", "csv", "jsonl", "txt",
        "svg", "png", "parquet", "pkl", "zip", "tar", "gz", "mlmodel",
    ]

    // MARK: Formats

    /// A tokenizer is written as the tokenizer.json that it is.
    private static func json(_ value: Value) -> Data {
        if let tokenizer = value.object(TokenizerObject.self) {
            return Data(tokenizer.tokenizer.json.utf8)
        }
        return Data((value.prettyJSON + "\n").utf8)
    }

    private static func jsonLines(_ value: Value) -> Data? {
        guard let items = rows(value) else { return nil }
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

    static func npy(_ tensor: Tensor) -> Data {
        var data = Data(NumPyFile.header(ofFloat32: tensor.shape))
        tensor.withUnsafeBufferPointer { data.append(Data(buffer: $0)) }
        return data
    }

    /// The rows of an object that is a table, or the items of a list.
    private static func rows(_ value: Value) -> [Value]? {
        var plain = value
        if case .object(let object) = value {
            if let table = object as? any TabularObject { return table.rows.map(Value.record) }
            plain = object.jsonValue
        }
        guard case .list(let items) = plain else { return nil }
        return items.map { item in
            if case .object(let object) = item { return object.jsonValue }
            return item
        }
    }

    /// A matrix row by row; a list of records under a line of their field names; a record of lists
    /// of one length as columns, and any other record as one row.
    ///
    /// - Throws: if a record holds lists or tensors that are no columns.
    private static func csv(_ value: Value) throws(EvaluationError) -> Data? {
        if let matrix = matrix(value) { return matrix }
        if let items = rows(value) { return table(items) }
        var plain = value
        if case .object(let object) = value { plain = object.jsonValue }
        guard case .record(let record) = plain else { return nil }
        if let rows = columns(record) { return table(rows.map(Value.record)) }
        if let (key, field) = record.first(where: { $0.value.isLarge }) {
            throw .other(
                "a record becomes columns in .csv if all its fields are lists of one length, and "
                    + "`\(key)` is \(field.aKind) that fits no column",
                suggestion: "use .json, or .safetensors for tensors")
        }
        return table([plain])
    }

    private static func matrix(_ value: Value) -> Data? {
        if case .object(let object) = value, object is any TabularObject { return nil }
        guard let tensor = value.asTensor, (1...2).contains(tensor.shape.count) else { return nil }
        let columns = tensor.shape.count == 2 ? tensor.shape[1] : 1
        let values = tensor.values
        var text = ""
        for row in 0..<tensor.shape[0] {
            text +=
                values[row * columns..<(row + 1) * columns].map { "\($0)" }.joined(separator: ",")
                + "\n"
        }
        return Data(text.utf8)
    }

    /// The rows of a record whose fields are lists or vectors of one length; nil for any other.
    private static func columns(_ record: Record) -> [Record]? {
        var columns: [(name: String, items: [Value])] = []
        for (name, value) in record {
            switch value {
            case .list(let items): columns.append((name, items))
            case .tensor(let tensor) where tensor.shape.count == 1:
                columns.append((name, tensor.values.map { .number(shortest($0)) }))
            default: return nil
            }
        }
        guard let count = columns.first?.items.count,
            columns.allSatisfy({ $0.items.count == count })
        else { return nil }
        return (0..<count).map { row in
            Record(uniqueKeysWithValues: columns.map { ($0.name, $0.items[row]) })
        }
    }

    /// The double with the digits of a float32: 0.1 and not 0.10000000149011612.
    private static func shortest(_ value: Float) -> Double { Double("\(value)") ?? Double(value) }

    private static func table(_ items: [Value]) -> Data? {
        var names: [String] = []
        var known: Set<String> = []
        for case .record(let record) in items {
            for key in record.keys where known.insert(key).inserted { names.append(key) }
        }
        guard !names.isEmpty else {
            return Data(items.map { CSV.line([cell($0)]) }.joined().utf8)
        }
        var text = CSV.line(names.map { CSV.Cell(text: $0) })
        for item in items {
            guard case .record(let record) = item else { return nil }
            text += CSV.line(names.map { cell(record[$0] ?? .null) })
        }
        return Data(text.utf8)
    }

    private static func cell(_ value: Value) -> CSV.Cell {
        switch value {
        case .null: .empty
        case .text(let text): CSV.Cell(text: text)
        case .number(let number) where !number.isFinite: .bare("\(number)")
        case .bool, .number: .bare(value.json)
        default: CSV.Cell(text: value.json)
        }
    }
}

extension Value {
    /// Whether a cell of a table would be no place for it.
    fileprivate var isLarge: Bool {
        switch self {
        case .tensor(let tensor): tensor.count > 64
        case .list(let items): items.count > 64 || items.contains(where: \.isLarge)
        case .record(let record): record.values.contains(where: \.isLarge)
        default: false
        }
    }
}
