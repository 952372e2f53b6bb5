import Foundation
import JSON
import LongWork
import NumberTypes
import Tensors
import Testing

@testable import Transformers

/// Model directories: loading, writing, and errors.
@Suite struct CheckpointTests {
    private let folder: String

    init() throws {
        folder = NSTemporaryDirectory() + "sami-checkpoint-\(UUID().uuidString)"
        try FileManager.default.createDirectory(
            atPath: folder, withIntermediateDirectories: true)
    }

    private static func shape(_ family: String) -> ModelConfiguration {
        ModelConfiguration(
            modelType: family, hiddenSize: 16, layers: 2, heads: 4,
            keyValueHeads: family == "gpt2" ? 4 : 2, feedForwardSize: 24, vocabularySize: 50,
            contextLength: 64, attentionBias: ["gpt2", "qwen2"].contains(family),
            feedForwardBias: family == "gpt2", experts: family == "mixtral" ? 3 : 0,
            expertsPerToken: family == "mixtral" ? 2 : 0, tiedHead: family == "gpt2")
    }

    private func model(
        _ family: String = "llama", _ type: DType = .float32
    ) throws -> LanguageModel {
        try LanguageModel(Self.shape(family), key: RandomKey(seed: 5), format: .plain(type))
    }

    private func tensors(_ model: LanguageModel) -> [(name: String, tensor: Tensor)] {
        zip(model.parameters.names, model.parameters.tensors).map { (name: $0, tensor: $1) }
    }

    private func complaint(_ body: () throws -> Void) -> String {
        do {
            try body()
            return "none"
        } catch {
            return "\(error)".replacing(folder, with: "DIR")
        }
    }

    private func files() throws -> [String] {
        try FileManager.default.contentsOfDirectory(atPath: folder).sorted()
    }

    private func put(_ data: Data, _ name: String) throws {
        try data.write(to: URL(fileURLWithPath: folder + "/" + name))
    }

    @Test(arguments: Families.all.keys.sorted(), DType.computed)
    func whatIsWrittenIsLoadedBitForBit(family: String, type: DType) throws {
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let model = try model(family, type)
        for limit in [ModelDirectory.largestFile, 4000] {
            try ModelDirectory.write(model, to: folder, limit: limit)
            let found = try ModelDirectory.load(folder)
            #expect(found.configuration == model.configuration)
            #expect(found.weightFormat == .plain(type))
            for (a, b) in zip(tensors(found), tensors(model)) {
                #expect(a.name == b.name && a.tensor.format == b.tensor.format)
                let same = a.tensor.withUnsafeBytes { x in
                    b.tensor.withUnsafeBytes { x.elementsEqual($0) }
                }
                #expect(same, "\(a.name)")
            }
            // Writing one form removes the files of the other.
            let single = try files().contains("model.safetensors")
            #expect(single == (limit > 4000))
            #expect(try files().contains("model.safetensors.index.json") == (limit == 4000))
            #expect(try !files().contains { $0.contains(".new-") })
        }
        #expect(try files().filter { $0.hasPrefix("model-0") }.count > 2)
        let json = try JSON.read(
            [UInt8](try Data(contentsOf: URL(fileURLWithPath: folder + "/config.json"))))
        #expect(json["torch_dtype"]?.string == type.rawValue)
    }

    @Test func loadingConvertsOnRequest() throws {
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let model = try model()
        try ModelDirectory.write(model, to: folder)
        let found = try ModelDirectory.load(folder, as: .bfloat16)
        #expect(found.weightFormat == .bfloat16 && found.weightBytes == 2 * found.parameterCount)
        #expect(tensors(found)[3].tensor == tensors(model)[3].tensor.converted(to: .bfloat16))
    }

    @Test func shardsOfALargerModelDoNotStayBehind() throws {
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let model = try model()
        func names() throws -> [String] {
            try FileManager.default.contentsOfDirectory(atPath: folder)
                .filter { $0.hasPrefix("model") }.sorted()
        }
        try ModelDirectory.write(model, to: folder, limit: 4_000)
        let many = try names()
        #expect(many.count > 4 && many.last == "model.safetensors.index.json")
        try Data("mine".utf8).write(to: URL(fileURLWithPath: folder + "/model-card.md"))
        try ModelDirectory.write(model, to: folder, limit: model.weightBytes / 2 + 4_000)
        let few = try names()
        #expect(few.count < many.count && few.contains("model-card.md"))
        #expect(tensors(try ModelDirectory.load(folder)).map(\.name) == tensors(model).map(\.name))
        try ModelDirectory.write(model, to: folder)
        #expect(try names() == ["model-card.md", "model.safetensors"])
        try ModelDirectory.write(model, to: folder, limit: 4_000)
        #expect(try names() == (["model-card.md"] + many).sorted())
    }

    /// A model that is exported over another one is the old one or the new one.
    @Test(arguments: [4_000, ModelDirectory.largestFile])
    func aStoppedExportLeavesTheEarlierModel(limit: Int) throws {
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let old = try model()
        try ModelDirectory.write(old, to: folder, limit: 4_000)
        let before = try files()
        var new = old
        try new.update { set in set.update(0) { $0.scale(by: 2) } }
        for share in [0, 0.3, 0.8] {
            #expect(throws: Canceled.self) {
                try ModelDirectory.write(new, to: folder, limit: limit) {
                    $0 < share ? .more : .stop
                }
            }
            #expect(try files() == before)
            let found = try ModelDirectory.load(folder)
            #expect(tensors(found)[0].tensor == tensors(old)[0].tensor)
        }
        try ModelDirectory.write(new, to: folder, limit: limit)
        let found = try ModelDirectory.load(folder)
        #expect(tensors(found)[0].tensor == tensors(new)[0].tensor)
    }

    /// The files of a folder are named after all are written, and links to them stay.
    @Test func anExportOverLinksReplacesTheirFiles() throws {
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let model = try model()
        try ModelDirectory.write(model, to: folder + "/store")
        for name in ["config.json", "model.safetensors"] {
            try FileManager.default.createSymbolicLink(
                atPath: folder + "/" + name, withDestinationPath: "store/" + name)
        }
        try ModelDirectory.write(model, to: folder)
        let destination = try FileManager.default.destinationOfSymbolicLink(
            atPath: folder + "/model.safetensors")
        #expect(destination == "store/model.safetensors")
        for place in [folder, folder + "/store"] {
            #expect(try ModelDirectory.load(place).configuration == model.configuration)
        }
    }

    /// The hub's GPT-2 names its tensors without the first word and carries causal masks.
    @Test func bareDecodersAndBuffersAreUnderstood() throws {
        let model = try model("gpt2")
        var found: [String: Tensor] = [:]
        for (name, tensor) in tensors(model) {
            found[String(name.dropFirst("transformer.".count))] = tensor
        }
        found["h.0.attn.bias"] = Tensor(zeros: [1, 1, 4, 4])
        found["h.1.attn.masked_bias"] = Tensor(zeros: [1])
        found["lm_head.weight"] = found["wte.weight"]
        let loaded = try LanguageModel(Self.shape("gpt2"), tensors: found, source: "x")
        #expect(loaded.parameters.tensors == model.parameters.tensors)

        var llama: [String: Tensor] = [:]
        for (name, tensor) in tensors(try self.model()) { llama[name] = tensor }
        llama["model.layers.0.self_attn.rotary_emb.inv_freq"] = Tensor(zeros: [2])
        _ = try LanguageModel(Self.shape("llama"), tensors: llama, source: "x")
    }

    @Test func theLayoutOfItsAuthorsIsNamed() throws {
        defer { try? FileManager.default.removeItem(atPath: folder) }
        try put(Data("{\"dim\": 16}".utf8), "params.json")
        try put(Data(), "consolidated.safetensors")
        #expect(
            complaint { _ = try ModelDirectory.load(folder) }
                == "DIR cannot be read: it has params.json and no config.json, so it is in its "
                + "author's own layout (as of Mistral's consolidated.safetensors); take the model "
                + "in Hugging Face form, which most authors publish beside it, or convert it with "
                + "transformers.")
    }

    /// transformers 5 ties head and embedding only if the file's head is a copy.
    @Test(arguments: DType.computed)
    func aHeadOfItsOwnCountsUnderATiedConfiguration(type: DType) throws {
        let model = try model("llama", type)
        var tied = Self.shape("llama")
        tied.tiedHead = true
        var found: [String: Tensor] = [:]
        for (name, tensor) in tensors(model) { found[name] = tensor }
        let own = try LanguageModel(tied, tensors: found, source: "x")
        #expect(own.parameters.tensors == model.parameters.tensors)
        #expect(!own.configuration.tiedHead)
        #expect(
            String(decoding: own.configuration.json, as: UTF8.self).contains(
                "\"tie_word_embeddings\": false"))

        found["lm_head.weight"] = found["model.embed_tokens.weight"]
        #expect(try LanguageModel(tied, tensors: found, source: "x").configuration.tiedHead)
        found["lm_head.weight"] = found["model.embed_tokens.weight"]?.converted(to: .float32)
        #expect(try LanguageModel(tied, tensors: found, source: "x").configuration.tiedHead)
        found["lm_head.weight"] = Tensor(zeros: [49, 16])
        #expect(
            complaint { _ = try LanguageModel(tied, tensors: found, source: "x") }
                == "x: tensor \"lm_head.weight\" has shape [49, 16]; the configuration asks for "
                + "[50, 16].")
    }

    @Test func missingExtraAndMisshapenTensorsAreNamed() throws {
        var found: [String: Tensor] = [:]
        for (name, tensor) in tensors(try model("qwen2")) { found[name] = tensor }
        func load(_ change: (inout [String: Tensor]) -> Void) -> String {
            var changed = found
            change(&changed)
            return complaint {
                _ = try LanguageModel(Self.shape("qwen2"), tensors: changed, source: "f")
            }
        }
        let bias = "model.layers.1.self_attn.k_proj.bias"
        #expect(
            load { $0[bias] = nil }
                == "f has no tensor \"\(bias)\"; the model needs one of shape [8].")
        #expect(
            load { $0[bias] = Tensor(zeros: [4]) }
                == "f: tensor \"\(bias)\" has shape [4]; the configuration asks for [8].")
        #expect(
            load { $0["model.layers.1.self_attn.o_proj.bias"] = Tensor(zeros: [16]) } == """
                f holds a tensor "model.layers.1.self_attn.o_proj.bias" that this kind of model \
                does not have.
                """)
    }

    @Test func picklesAreRefusedWithTheWayOut() throws {
        defer { try? FileManager.default.removeItem(atPath: folder) }
        try put(model().configuration.json, "config.json")
        try put(Data([0x80, 2]), "pytorch_model.bin")
        let way = """
            is a pickle file. Opening it would run its author's code, so sami refuses it. If you trust \
            the file, convert it with Python's transformers: \
            AutoModelForCausalLM.from_pretrained(DIR).save_pretrained(NEW_DIR).
            """
        #expect(
            complaint { _ = try ModelDirectory.load(folder) } == "DIR/pytorch_model.bin \(way)")
        #expect(
            complaint { _ = try ModelDirectory.load(folder + "/pytorch_model.bin") }
                == "DIR/pytorch_model.bin \(way)")
        #expect(complaint { _ = try SafeTensors(path: "weights.pt") } == "weights.pt \(way)")
    }

    @Test func foldersThatAreNoModelsAreRefused() throws {
        defer { try? FileManager.default.removeItem(atPath: folder) }
        #expect(
            complaint { _ = try ModelDirectory.load(folder + "/none") }
                == "DIR/none cannot be read: there is no such folder.")
        #expect(
            complaint { _ = try ModelDirectory.load(folder) }
                == "DIR/config.json cannot be read: no such file or directory.")
        try put(model().configuration.json, "config.json")
        #expect(
            complaint { _ = try ModelDirectory.load(folder) }
                == """
                DIR cannot be read: it has neither model.safetensors nor \
                model.safetensors.index.json.
                """)
        try FileManager.default.createDirectory(
            atPath: folder + "/model.safetensors", withIntermediateDirectories: true)
        #expect(
            complaint { _ = try ModelDirectory.load(folder) }
                == "DIR/model.safetensors cannot be read: it is a folder.")
    }

    @Test(arguments: [
        ("[", "it is not JSON: line 1, column 2: the text ends too early"),
        ("{}", "it has no weight_map"),
        (#"{"weight_map": {"a": 1}}"#, "the file of \"a\" is not a text"),
        (
            #"{"weight_map": {"a": "../model.safetensors"}}"#,
            "\"../model.safetensors\" is not the name of a file in the same folder"
        ),
        (
            #"{"weight_map": {"a": "one.safetensors"}}"#,
            "one.safetensors does not hold tensor \"a\"; index and shards are not of one model: "
                + "bring all of them again"
        ),
        (
            #"{"weight_map": {"x": "one.safetensors"}}"#,
            "one.safetensors holds a tensor \"y\" that it does not list; index and shards are not "
                + "of one model: bring all of them again"
        ),
    ])
    func indexesAreChecked(index: String, problem: String) throws {
        defer { try? FileManager.default.removeItem(atPath: folder) }
        try put(model().configuration.json, "config.json")
        try put(Data(index.utf8), "model.safetensors.index.json")
        let part = [
            (name: "x", tensor: Tensor(zeros: [1])), (name: "y", tensor: Tensor(zeros: [1])),
        ]
        try put(SafeTensors.encode(part), "one.safetensors")
        #expect(
            complaint { _ = try ModelDirectory.load(folder) }
                == "DIR/model.safetensors.index.json is not a valid safetensors file: \(problem).")
    }

    // MARK: - Headers from strangers

    private static func file(_ header: String, body: Int, claimed: UInt64? = nil) -> Data {
        var data = Data()
        let length = claimed ?? UInt64(header.utf8.count)
        withUnsafeBytes(of: length.littleEndian) { data.append(contentsOf: $0) }
        data.append(Data(header.utf8))
        data.append(Data(repeating: 0, count: body))
        return data
    }

    @Test(
        arguments: [
            ("{", 0, nil, "its header is not JSON: the text ends too early"),
            ("[]", 0, nil, "its header is not a JSON object"),
            ("{}", 0, .max, "its header claims 18446744073709551615 bytes, and the file has 10"),
            ("{}", 0, 3, "its header claims 3 bytes, and the file has 10"),
            ("{}", 4, nil, "its last 4 bytes belong to no tensor"),
            (
                #"{"a": {"dtype": "F32"}}"#, 0, nil,
                "tensor \"a\" is described without type, shape or offsets"
            ),
            (
                #"{"a": {"dtype": "F4", "shape": [], "data_offsets": [0, 0]}}"#, 0, nil,
                "tensor \"a\" has type F4, which is not supported"
            ),
            (
                #"{"a": {"dtype": "F32", "shape": [-1], "data_offsets": [0, 4]}}"#, 4, nil,
                "tensor \"a\" has an invalid shape"
            ),
            (
                #"{"a": {"dtype": "F32", "shape": [1.5], "data_offsets": [0, 4]}}"#, 4, nil,
                "tensor \"a\" has an invalid shape"
            ),
            (
                #"{"a": {"dtype": "F32", "shape": [4611686018427387905], "data_offsets": [0, 4]}}"#,
                4,
                nil, "tensor \"a\" of shape [4611686018427387905] does not fill 4 bytes"
            ),
            (
                #"{"a": {"dtype": "F32", "shape": [2], "data_offsets": [0, 4]}}"#, 4, nil,
                "tensor \"a\" of shape [2] does not fill 4 bytes"
            ),
            (
                #"{"a": {"dtype": "F32", "shape": [1], "data_offsets": [4, 8]}}"#, 4, nil,
                "tensor \"a\" lies at [4, 8], outside 4 bytes of data"
            ),
            (
                #"{"a": {"dtype": "F32", "shape": [1], "data_offsets": [4, 0]}}"#, 4, nil,
                "tensor \"a\" lies at [4, 0], outside 4 bytes of data"
            ),
            (
                #"{"a": {"dtype": "F32", "shape": [1], "data_offsets": [4, 8]}}"#, 8, nil,
                "4 bytes before tensor \"a\" belong to no tensor"
            ),
            (
                """
                {"a": {"dtype": "F32", "shape": [2], "data_offsets": [0, 8]}, \
                "b": {"dtype": "F32", "shape": [1], "data_offsets": [4, 8]}}
                """, 8, nil, "tensors \"a\" and \"b\" overlap"
            ),
            (
                """
                {"a": {"dtype": "F32", "shape": [1], "data_offsets": [0, 4]}, \
                "a": {"dtype": "F32", "shape": [1], "data_offsets": [0, 4]}}
                """, 4, nil, "its header is not JSON: the key \"a\" occurs twice"
            ),
            (#"{"__metadata__": {"a": 1}}"#, 0, nil, "its metadata \"a\" is not a text"),
            (
                #"{"a": [[[[[[[[[[1]]]]]]]]]]}"#, 0, nil,
                "its header is not JSON: it is nested more than 8 deep"
            ),
        ] as [(String, Int, UInt64?, String)])
    func headersAreBelievedOnlyWhenSound(
        header: String, body: Int, claimed: UInt64?, problem: String
    ) {
        #expect(
            complaint {
                _ = try SafeTensors(
                    data: Self.file(header, body: body, claimed: claimed), file: "f")
            } == "f is not a valid safetensors file: \(problem).")
    }

    @Test func everyPrefixAndEveryChangedByteIsRefusedOrReadable() throws {
        let sound = SafeTensors.encode([
            (name: "a", tensor: Tensor([1, 2, 3, 4], shape: [2, 2])),
            (name: "b", tensor: Tensor([5], shape: [1]).converted(to: .float16)),
        ])
        #expect(try SafeTensors(data: sound, file: "f").tensor("a")?.values == [1, 2, 3, 4])
        for length in 0..<sound.count {
            #expect(throws: ModelError.self) {
                try SafeTensors(data: sound.prefix(length), file: "f")
            }
        }
        for place in 0..<sound.count - 18 {
            for byte in [0, 0x22, 0x39, 0x7B, 0xFF] as [UInt8] {
                var changed = sound
                changed[place] = byte
                guard let archive = try? SafeTensors(data: changed, file: "f") else { continue }
                for (name, entry) in archive.entries {
                    let tensor = archive.tensor(name)
                    #expect(tensor == nil || tensor?.count == entry.shape.reduce(1, *))
                    _ = tensor?.values
                }
            }
        }
    }

    @Test func otherNumbersBecomeFloat32AndWhatIsNoNumberIsNil() throws {
        let header = """
            {"d": {"dtype": "F64", "shape": [1], "data_offsets": [0, 8]}, \
            "e": {"dtype": "F8_E4M3", "shape": [2], "data_offsets": [8, 10]}, \
            "i": {"dtype": "I16", "shape": [1], "data_offsets": [10, 12]}}
            """
        var data = Self.file(header, body: 0)
        withUnsafeBytes(of: (-2.5).bitPattern.littleEndian) { data.append(contentsOf: $0) }
        data.append(contentsOf: [1, 2, 0xFE, 0xFF])
        let archive = try SafeTensors(data: data, file: "f")
        #expect(archive.tensor("d")?.values == [-2.5])
        #expect(archive.tensor("i")?.values == [-2])
        #expect(archive.tensor("e") == nil && archive.tensor("none") == nil)
    }
}
