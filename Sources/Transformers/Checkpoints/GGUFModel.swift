import Files
import GGUF
import LongWork
import NumberTypes
import Tensors

/// A model in a GGUF file.
///
/// Matrices in 32- and 16-bit floats and in Q8_0 stay in the mapped file, as those of safetensors
/// do. Those in other blocks are widened, a tensor at a time, by all workers.
public struct GGUFModel {
    public let file: GGUFFile
    private let architecture: GGUFArchitecture

    /// Throws `GGUFError`, or `ModelError` for keys that no model can have.
    public init(_ file: GGUFFile) throws {
        self.file = file
        architecture = try GGUFArchitecture(file)
    }

    public var configuration: ModelConfiguration { architecture.configuration }

    /// The quantized types of the file, the one with the most weights first; empty if it is not
    /// quantized.
    public var quantizedTypes: [String] {
        var counts: [String: Int] = [:]
        for tensor in file.tensors {
            if case .blocks(let format) = tensor.format {
                counts[format.rawValue, default: 0] += tensor.bytes.count
            }
        }
        return counts.sorted { ($1.value, $0.key) < ($0.value, $1.key) }.map(\.key)
    }

    /// The model with its weights.
    ///
    /// - Parameters:
    ///   - type: the type of all weights; nil keeps plain floats and Q8_0 as they are, and other
    ///     quantized weights become `widened`. GPT-2's matrices lie transposed, so their rows cross
    ///     the blocks of the file, and all of that model is widened.
    ///   - watch: asked before every tensor.
    /// - Throws: `GGUFError` if a tensor is missing, unknown, or of a wrong shape or type;
    ///   `Canceled`.
    public func load(
        as type: DType? = nil, widened: DType = .bfloat16, watch: Watch = { _ in .more }
    ) throws -> LanguageModel {
        var left = Dictionary(uniqueKeysWithValues: file.tensors.map { ($0.name, $0) })
        left["rope_freqs.weight"] = nil
        var found: [Found] = []
        let family = try Families.family(configuration)
        for entry in family.layout.entries {
            found.append(try find(entry, among: left))
        }
        for one in found { left[one.tensor.name] = nil }
        if let extra = left.keys.min() {
            throw file.refusal(
                "it holds a tensor \"\(extra)\" that this kind of model does not have")
        }
        let isTransposed = found.contains { if case .transposed = $0.order { true } else { false } }
        var done = 0
        return try LanguageModel(configuration) { index, _ in
            try Canceled.check(watch, Double(done) / Double(found.count))
            done += 1
            let one = found[index]
            return read(one, type.map { .plain($0) } ?? kept(one.format, widened, isTransposed))
        }
    }

    // MARK: - Tensors

    /// How the rows of a tensor lie in the file.
    private enum Order {
        case same
        /// Rows in the file hold the columns.
        case transposed
        /// Heads of this size, ordered for a rotary embedding that turns neighbors.
        case neighbors(headSize: Int)
    }

    private struct Found {
        let tensor: GGUFTensor
        let format: StoredFormat
        let shape: [Int]
        let order: Order
        /// The place of the matrix of an expert.
        let expert: Int?
    }

    private func find(
        _ entry: ParameterLayout.Entry, among tensors: [String: GGUFTensor]
    ) throws -> Found {
        let sources = GGUFNames.sources(entry.name)
        guard let source = sources.first(where: { tensors[$0.name] != nil }),
            let tensor = tensors[source.name]
        else {
            throw file.refusal(
                "it has no tensor \"\(sources.first?.name ?? entry.name)\", which the model needs")
        }
        guard let format = tensor.format else {
            throw file.refusal(
                "tensor \"\(tensor.name)\" is of type \(tensor.typeName), which is not supported; "
                    + "supported are F32, F16, BF16, "
                    + BlockFormat.allCases.map(\.rawValue).joined(separator: ", "))
        }
        let order = order(entry.name)
        var wanted = entry.shape
        if case .transposed = order { wanted.reverse() }
        if source.expert != nil { wanted.insert(configuration.experts, at: 0) }
        guard tensor.shape == wanted else {
            throw file.refusal(
                "tensor \"\(tensor.name)\" has shape \(tensor.shape); its metadata ask for "
                    + "\(wanted)")
        }
        return Found(
            tensor: tensor, format: format, shape: entry.shape, order: order,
            expert: source.expert)
    }

    private func order(_ name: String) -> Order {
        let parts = name.split(separator: ".")
        guard parts.count > 2 else { return .same }
        let (layer, kind) = (parts[parts.count - 2], parts[parts.count - 1])
        if architecture.pairsNeighbors, layer == "q_proj" || layer == "k_proj" {
            return .neighbors(headSize: configuration.headSize)
        }
        // The matrices of GPT-2's sublayers are (in, out) in its own files.
        return layer.hasPrefix("c_") && kind == "weight" ? .transposed : .same
    }

    /// The format in which a tensor is kept if no type is asked for.
    private func kept(
        _ format: StoredFormat, _ widened: DType, _ isTransposed: Bool
    ) -> StoredFormat {
        switch format {
        case .plain: format.isComputed ? format : .float32
        case .blocks: format.isComputed && !isTransposed ? format : .plain(widened)
        }
    }

    private func read(_ found: Found, _ kept: StoredFormat) -> Tensor {
        let address = file.address(found.tensor)
        switch found.order {
        case .neighbors(let size):
            let isVector = found.shape.count == 1
            // A vector, of biases, is ordered as the rows of its matrix are.
            let shape = isVector ? [found.shape[0], 1] : found.shape
            return Tensor(
                reading: address, found.format, shape: shape, as: kept
            ) { row in
                let within = row % size
                return row - within + 2 * (within % (size / 2)) + within / (size / 2)
            }.reshaped(found.shape)
        case .transposed:
            let rows = Tensor(
                reading: address, found.format, shape: found.shape.reversed(), as: .float32)
            return rows.transposed().converted(to: kept)
        case .same:
            let bytes = found.format.byteCount(of: found.shape) ?? 0
            let start = address + (found.expert ?? 0) * bytes
            if found.format == kept {
                return Tensor(borrowing: start, kept, shape: found.shape, of: file.owner)
            }
            return Tensor(reading: start, found.format, shape: found.shape, as: kept)
        }
    }
}

extension Tensor {
    /// The columns of a matrix as rows.
    fileprivate func transposed() -> Tensor {
        let (values, rows, columns) = (values, rows, columns)
        var turned: [Float] = []
        turned.reserveCapacity(count)
        for column in 0..<columns {
            for row in 0..<rows { turned.append(values[row * columns + column]) }
        }
        return Tensor(turned, shape: [columns, rows])
    }
}
