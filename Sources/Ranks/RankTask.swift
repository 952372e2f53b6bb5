import Alignment
import Foundation
import NumberTypes
import Tensors
import TextModels
import Tokenizers
import Transformers

/// What a rank says about itself when it is ready.
public struct RankInfo: Sendable, Codable, Hashable {
    public var host: String
    public var process: Int32
    /// Threads of a kernel.
    public var threads: Int
    /// Its share of the bytes that were free on its host when it started.
    public var memory: Int
    public var processor: String
    /// Billions of multiplications and additions a second, in a product of two matrices.
    public var speed: Double
    /// SHA-256 of its program.
    public var program: String

    public init(
        host: String, process: Int32, threads: Int, memory: Int, processor: String, speed: Double,
        program: String
    ) {
        self.host = host
        self.process = process
        self.threads = threads
        self.memory = memory
        self.processor = processor
        self.speed = speed
        self.program = program
    }
}

/// Some of the bytes of a thing that ranks keep under a number, in the order of the bytes.
struct SentPiece: Sendable, Codable, Hashable {
    enum Thing: Sendable, Codable, Hashable {
        /// - Parameter format: its `StoredFormat`.
        case tensor(number: Int, shape: [Int], format: String)
        /// Its JSON.
        case tokenizer(number: Int)
    }

    var thing: Thing
    /// The place of the first byte. A thing that was not sent whole is sent again from 0.
    var offset = 0
    /// Bytes of the thing.
    var total: Int
}

/// A model by the numbers of its tensors.
struct SentModel: Sendable, Codable, Hashable {
    /// Its `config.json`.
    var configuration: Data
    var adapter: AdapterConfiguration?
    /// The numbers of its tensors, in layout order.
    var tensors: [Int]
    /// The places of those that train.
    var trained: [Int]
    var isBFloat16: Bool

    init(_ model: LanguageModel, tensors: [Int]) {
        let entries = model.parameters.layout.entries
        configuration = model.configuration.json
        adapter = model.configuration.adapter
        self.tensors = tensors
        trained = entries.indices.filter { entries[$0].isTrainable }
        isBFloat16 = model.parameters.arithmetic.isBFloat16
    }

    /// The configuration, with its adapters.
    func modelConfiguration() throws -> ModelConfiguration {
        var whole = try ModelConfiguration(
            json: configuration, name: "config.json", isAccepted: true)
        if let adapter { try whole.add(adapter) }
        return whole
    }
}

/// Numbers as bytes, which a property list stores faster than one by one.
struct PackedNumbers<Number: BitwiseCopyable & Sendable>: Sendable, Codable {
    private var data: Data

    init(_ numbers: some Sequence<Number>) {
        data = Array(numbers).withUnsafeBytes { Data($0) }
    }

    var numbers: [Number] {
        let count = data.count / MemoryLayout<Number>.stride
        return data.withUnsafeBytes { bytes in
            (0..<count).map {
                bytes.loadUnaligned(
                    fromByteOffset: $0 * MemoryLayout<Number>.stride, as: Number.self)
            }
        }
    }
}

/// Work for one rank.
struct RankTask: Sendable, Codable {
    /// Tensors that the rank may forget first.
    var forgotten: [Int] = []
    var work: Work

    enum Work: Sendable, Codable {
        case generate(Generate)
        case score(Score)
        case gradients(Gradients)
        case update(Update)
        /// The same on a model that is divided by layers.
        case layers(LayerTask)
        /// Tensors from files.
        case map(MappedTensors)
    }

    struct Generate: Sendable, Codable {
        var model: SentModel
        var prompts: [PackedNumbers<Int32>]
        var keys: PackedNumbers<UInt64>
        var sampling: Sampling
        var stopTokens: PackedNumbers<Int32>
        var tokenizer: Int
        var stops: [String]

        var requests: [GenerationRequest] {
            zip(prompts, keys.numbers).map {
                GenerationRequest(prompt: $0.numbers, key: RandomKey(number: $1))
            }
        }
    }

    struct Score: Sendable, Codable {
        var model: SentModel
        var forests: [SentForest]
    }

    /// The gradients of some queries of a step, and then the sum over all ranks.
    struct Gradients: Sendable, Codable {
        var model: SentModel
        var reference: SentModel?
        var objective: Objective
        var score: ScoreSettings
        var beta: Double
        var packRows: Int
        var extent: StepExtent
        var batches: [SentBatch]
        /// Whether the rank sends the sum.
        var sendsSum: Bool
    }

    /// An optimizer step on the last sum.
    struct Update: Sendable, Codable {
        var model: SentModel
        var update: Alignment.Update
        var factor: Double
        var steps: Int
        /// The numbers of the moments, by name.
        var moments: [String: [Int]]
        /// The new numbers of the tensors that train, and of the moments.
        var changed: [Int]
        var changedMoments: [String: [Int]]
    }
}

/// A forest and its targets.
struct SentForest: Sendable, Codable {
    private var tokens: PackedNumbers<Int32>
    private var parents: [Int]
    private var lengths: [Int]
    private var rows: PackedNumbers<Int32>
    private var targets: PackedNumbers<Int32>

    init(_ scored: ScoredForest) {
        let forest = scored.forest
        tokens = PackedNumbers(forest.tokens)
        parents = forest.segments.map { $0.parent ?? -1 }
        lengths = forest.segments.map(\.range.count)
        rows = PackedNumbers(scored.targets.map { Int32($0.row) })
        targets = PackedNumbers(scored.targets.map(\.token))
    }

    var scored: ScoredForest {
        var forest = TokenForest()
        var left = tokens.numbers[...]
        for (parent, length) in zip(parents, lengths) {
            forest.append(left.prefix(max(0, length)), parent: parent < 0 ? nil : parent)
            left = left.dropFirst(max(0, length))
        }
        return ScoredForest(
            forest, zip(rows.numbers, targets.numbers).map { Target(row: Int($0), token: $1) })
    }
}

/// One query as token ids.
struct SentBatch: Sendable, Codable {
    private var id: QueryID
    private var constitutions: Int
    private var responses: Int
    private var sequences: [PackedNumbers<Int32>]
    /// For each sequence the first scored place; it is scored to its end.
    private var starts: [Int]

    init(_ batch: ContrastBatch) {
        id = batch.id
        constitutions = batch.constitutions
        responses = batch.responses
        sequences = batch.sequences.map { PackedNumbers($0.tokens) }
        starts = batch.sequences.map(\.scored.lowerBound)
    }

    /// - Throws: `RankError.badMessage`.
    func batch() throws -> ContrastBatch {
        guard
            let batch = ContrastBatch(
                id: id, constitutions: constitutions, responses: responses,
                sequences: sequences.map(\.numbers), starts: starts)
        else { throw RankError.badMessage("a query without its sequences") }
        return batch
    }
}

/// A result, and its times.
struct RankAnswer: Sendable, Codable {
    var reply: RankReply
    /// Seconds that the rank computed.
    var computing: Double
    /// Seconds in which it added gradients of other ranks, and waited for them.
    var adding: Double
}

/// The result of a task.
enum RankReply: Sendable, Codable {
    case generated([Generated])
    /// The first of the rank's requests whose logits are not finite.
    case notFinite(request: Int)
    case scored([PackedNumbers<Float>])
    /// Of the rank's queries. The sum is sent before it in parts, where it was asked for.
    case gradients(loss: Double, contrasts: [Contrast], divergence: Double?, tokens: Int)
    case updated
    /// The numbers of those tensors that were found in files.
    case mapped([Int])
    /// It was told to stop.
    case canceled

    struct Generated: Sendable, Codable {
        var tokens: PackedNumbers<Int32>
        var logProbs: PackedNumbers<Float>
        var finish: String

        init(_ generation: Generation) {
            tokens = PackedNumbers(generation.tokens)
            logProbs = PackedNumbers(generation.logProbs)
            finish = generation.finish.rawValue
        }

        var generation: Generation {
            Generation(
                tokens: tokens.numbers, logProbs: logProbs.numbers,
                finish: Generation.Finish(rawValue: finish) ?? .interrupted)
        }
    }
}

/// How far a rank is with its task.
struct RankProgress: Sendable, Codable, Hashable {
    /// Finished parts: responses, or forests.
    var finished = 0
    /// Finished work on others, in parts; of gradients the share of all.
    var underway = 0.0
    var tokens = 0
}
