import Foundation
import Tensors
import Transformers

/// A model directory of random weights in bfloat16 shards, written without holding the model in
/// memory. It allows measuring a large checkpoint on a machine that cannot download one.
struct RandomCheckpoint {
    var configuration: ModelConfiguration
    var seed: UInt64 = 0

    /// Number of elements that are generated before they are written: 64 MB.
    private static let chunk = 1 << 25

    /// Writes `config.json`, shards of at most 5 GB and their index.
    /// - Parameter progress: called after every chunk with the number of bytes written.
    func write(to directory: String, progress: (Int) -> Void) throws {
        try FileManager.default.createDirectory(
            atPath: directory, withIntermediateDirectories: true)
        let entries = try configuration.parameterLayout().entries
        let sizes = entries.map { $0.shape.reduce(2, *) }
        let parts = ModelDirectory.shardRanges(sizes, limit: ModelDirectory.largestFile)
        let normal = NormalTable(deviation: configuration.initializerRange)
        var files: [(name: String, file: String)] = []
        var (written, index) = (0, UInt64(0))
        for (number, part) in parts.enumerated() {
            let file = ModelDirectory.shardName(number, of: parts.count)
            let path = directory + "/" + file
            _ = FileManager.default.createFile(atPath: path, contents: nil)
            let handle = try FileHandle(forWritingTo: URL(fileURLWithPath: path))
            try handle.write(
                contentsOf: SafeTensors.header(
                    entries[part].map { ($0.name, .bfloat16, $0.shape) }))
            for entry in entries[part] {
                files.append((entry.name, file))
                var left = entry.shape.reduce(1, *)
                while left > 0 {
                    let count = min(left, Self.chunk)
                    var data = Data(count: 2 * count)
                    data.withUnsafeMutableBytes {
                        // Norms are one; all other weights are random.
                        normal.fill($0, count, isNorm: entry.shape.count == 1, seed, &index)
                    }
                    try handle.write(contentsOf: data)
                    left -= count
                    written += 2 * count
                    progress(written)
                }
            }
            try handle.close()
        }
        try ModelDirectory.index(files, bytes: written)
            .write(to: URL(fileURLWithPath: directory + "/" + ModelDirectory.indexFile))
        try configuration.json.write(
            to: URL(fileURLWithPath: directory + "/" + ModelDirectory.configurationFile))
    }
}

/// Normal numbers in bfloat16 from sixteen random bits each, with a table of quantiles.
private struct NormalTable: @unchecked Sendable {
    private let table: [UInt16]

    init(deviation: Double) {
        let key = RandomKey(seed: 7)
        // Random samples stand for quantiles. Their order does not matter, so they are not sorted.
        table = (0..<1 << 16).map { bfloat16(Float(key.normal(UInt64($0)) * deviation)) }
    }

    func fill(
        _ bytes: UnsafeMutableRawBufferPointer, _ count: Int, isNorm: Bool, _ seed: UInt64,
        _ index: inout UInt64
    ) {
        let target = Target(pointer: bytes.bindMemory(to: UInt16.self))
        let first = index
        table.withUnsafeBufferPointer { table in
            let table = Source(pointer: table)
            Workers.split(count, grain: 1 << 12) { range in
                for i in range {
                    if isNorm {
                        target.pointer[i] = bfloat16(1)
                        continue
                    }
                    // SplitMix64 (Steele, Lea, Flood, 2014) of the element's index.
                    var z = (first &+ UInt64(i) &+ seed) &* 0x9E37_79B9_7F4A_7C15
                    z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
                    target.pointer[i] = table.pointer[Int(z >> 48)]
                }
            }
        }
        index &+= UInt64(count)
    }

    // Each worker writes its own range.
    private struct Target: @unchecked Sendable {
        let pointer: UnsafeMutableBufferPointer<UInt16>
    }
    private struct Source: @unchecked Sendable {
        let pointer: UnsafeBufferPointer<UInt16>
    }
}

/// Measures a model directory: loading, generating, and scoring a 2 × 2 block.
struct CheckpointCost {
    var prompt = 128
    var new = 32

    /// - Parameter report: called with each number as soon as it is known, because the whole takes
    ///   minutes.
    func measure(_ directory: String, report: (String, Double) -> Void) throws {
        let start = ContinuousClock.now
        let model = try ModelDirectory.load(directory)
        report("load_seconds", (ContinuousClock.now - start).seconds)
        report("weight_gb", Double(model.weightBytes) / 1e9)
        let vocabulary = model.configuration.vocabularySize
        func tokens(_ count: Int, _ number: UInt64) -> [Int32] {
            let key = RandomKey(seed: 1).child(number)
            return (0..<count).map { Int32(key.integer(UInt64($0), below: vocabulary)) }
        }
        for (name, batch) in [("cold", 1), ("warm", 1), ("warm_batch_4", 4)] {
            let begin = ContinuousClock.now
            var (first, last, produced) = (0.0, 0.0, 0)
            let requests = (0..<batch).map {
                GenerationRequest(
                    prompt: tokens(prompt, UInt64($0)), key: RandomKey(seed: UInt64($0)))
            }
            let settings = SamplerSettings(topP: 0.9, maxTokens: new)
            _ = try model.generate(
                requests, settings,
                progress: { progress in
                    last = (ContinuousClock.now - begin).seconds
                    if first == 0 { first = last }
                    produced = progress.tokens
                    return .more
                })
            report("\(name)_first_token_seconds", first)
            report("\(name)_tokens_per_second", Double(produced - batch) / max(last - first, 1e-9))
        }
        var forest = TokenForest()
        var targets: [Target] = []
        for constitution in 0..<2 {
            let root = forest.append(tokens(prompt, UInt64(10 + constitution)))
            for response in 0..<2 {
                let text = tokens(new, UInt64(20 + response))
                let segment = forest.append(text.dropLast(), parent: root)
                var row = forest.lastRow(of: root) ?? 0
                for (offset, token) in text.enumerated() {
                    targets.append(Target(row: row, token: token))
                    row = forest.segments[segment].range.lowerBound + offset
                }
            }
        }
        let seconds = try time(2) { _ = try model.logProbs(forest, targets) }
        report("score_2x2_seconds", seconds.min() ?? 0)
        report("score_tokens", Double(forest.tokens.count))
        report("peak_rss_gb", Double(peakMemory()) / 1e9)
    }
}
