import Foundation
import JSON
import Tensors
import TestSupport
import Testing

@testable import Transformers

/// PEFT's files of adapters, written and read.
@Suite struct AdapterFileTests {
    /// A folder with an adapter of a model, and the model.
    private func written(
        _ family: String, exceptions: [AdapterConfiguration.Exception] = []
    ) throws -> (folder: TemporaryFolder, base: LanguageModel, model: LanguageModel) {
        let base = try TrainablePartTests.model(family)
        let plain = TrainablePartTests.adapter(family)
        let adapter = AdapterConfiguration(
            rank: plain.rank, alpha: plain.alpha, scaling: plain.scaling, targets: plain.targets,
            exceptions: exceptions)
        let model = TrainablePartTests.randomized(
            try base.adding(adapter, key: RandomKey(seed: 8)))
        let folder = try TemporaryFolder()
        try AdapterDirectory.write(model, to: folder.path, base: "org/base")
        return (folder, base, model)
    }

    /// Rewrites keys of the configuration: a JSON text by key.
    private func change(_ folder: TemporaryFolder, _ keys: [String: String]) throws {
        let path = folder.path + "/adapter_config.json"
        var members = try #require(try JSON.read(Data(contentsOf: URL(filePath: path))).members)
        for (key, text) in keys {
            members.removeAll { $0.key == key }
            members.append(.init(key, try JSON.read(Data(text.utf8))))
        }
        try Data(JSON.object(members).pretty.utf8).write(to: URL(filePath: path))
    }

    private func message(_ folder: TemporaryFolder, onto model: LanguageModel) -> String {
        do {
            _ = try AdapterDirectory.load(folder.path, onto: model)
            return "no error"
        } catch {
            return "\(error)"
        }
    }

    @Test(arguments: TrainablePartTests.families)
    func `an adapter comes back as it was written`(_ family: String) throws {
        let (folder, base, model) = try written(family)
        let loaded = try AdapterDirectory.load(folder.path, onto: base)
        #expect(loaded.model.configuration.adapter == model.configuration.adapter)
        #expect(loaded.model.parameters.names == model.parameters.names)
        for (one, two) in zip(loaded.model.parameters.tensors, model.parameters.tensors) {
            #expect(one.values == two.values)
        }
        #expect(loaded.baseName == "org/base" && loaded.dropout == 0)
        let config = try JSON.read(
            Data(contentsOf: URL(filePath: folder.path + "/adapter_config.json")))
        #expect(config["fan_in_fan_out"]?.bool == (family == "gpt2"))
        #expect(config["peft_type"]?.string == "LORA" && config["r"]?.integer == 3)
        #expect(config["use_rslora"]?.bool == (family == "qwen3"))
    }

    @Test func `projections of another rank and alpha come back`() throws {
        let name = "model.layers.1.self_attn.q_proj"
        let (folder, base, model) = try written(
            "llama", exceptions: [.init(name: name, rank: 5, alpha: 20)])
        let loaded = try AdapterDirectory.load(folder.path, onto: base)
        #expect(loaded.model.configuration.adapter?.exceptions.first?.rank == 5)
        #expect(loaded.model.parameters[name + ".lora_A.weight"]?.shape == [5, 24])
        let (forest, targets) = TrainablePartTests.targets
        #expect(
            try loaded.model.logProbs(forest, targets) == model.logProbs(forest, targets))
        // The same patterns as PEFT writes them: the last parts of a name, dots escaped.
        try change(folder, ["alpha_pattern": "{\"layers\\\\.1\\\\.self_attn.q_proj\": 20}"])
        let again = try AdapterDirectory.load(folder.path, onto: base)
        #expect(again.model.configuration.adapter == loaded.model.configuration.adapter)
        try change(folder, ["rank_pattern": "{\".*q_proj\": 5}"])
        #expect(message(folder, onto: base).contains("regular expression"))
        try change(folder, ["rank_pattern": "{}"])
        #expect(message(folder, onto: base).contains("gives \(name) the rank 3"))
    }

    @Test(arguments: [
        ("peft_type", "\"LOHA\"", "kind LOHA"), ("use_dora", "true", "use_dora"),
        ("modules_to_save", "[\"lm_head\"]", "modules_to_save"), ("bias", "\"all\"", "\"none\""),
        ("lora_bias", "true", "lora_bias"), ("init_lora_weights", "\"pissa\"", "init_lora_weights"),
        ("layer_replication", "[[0, 2]]", "layer_replication"),
        ("target_parameters", "[\"experts\"]", "target_parameters"),
        ("a_new_key", "{\"strength\": 2}", "a_new_key"), ("r", "0", "\"r\" is 0"),
        ("r", "\"big\"", "wrong kind"), ("lora_alpha", "-1", "\"lora_alpha\" is -1"),
        ("r", "4", "has rank 3"),
    ])
    func `other kinds are refused by name`(_ key: String, _ value: String, _ part: String) throws {
        let (folder, base, _) = try written("llama")
        try change(folder, [key: value])
        #expect(message(folder, onto: base).contains(part))
    }

    @Test func `keys that change nothing may stand there`() throws {
        let (folder, base, _) = try written("llama")
        try change(
            folder,
            [
                "init_lora_weights": "\"eva\"", "megatron_config": "null", "loftq_config": "{}",
                "exclude_modules": "null", "lora_dropout": "0.05",
                "target_modules": "\"all-linear\"",
            ])
        let loaded = try AdapterDirectory.load(folder.path, onto: base)
        #expect(loaded.dropout == 0.05)
    }

    @Test func `an adapter of another model is refused`() throws {
        let (folder, base, model) = try written("llama")
        #expect(message(folder, onto: model).contains("merge it first"))
        #expect(
            message(folder, onto: try TrainablePartTests.model("gpt2"))
                .contains("belongs to no projection of this model; its base is called org/base"))
        var wider = base.configuration
        wider.hiddenSize = 32
        let other = try LanguageModel(wider, key: RandomKey(seed: 1))
        #expect(message(folder, onto: other).contains("24"))
    }

    @Test func `damaged files are refused`() throws {
        let (folder, base, _) = try written("llama")
        let weights = folder.path + "/adapter_model.safetensors"
        let whole = try Data(contentsOf: URL(filePath: weights))
        for length in [0, 7, 100, whole.count / 2, whole.count - 1] {
            try whole.prefix(length).write(to: URL(filePath: weights))
            #expect(message(folder, onto: base).contains("adapter_model.safetensors"))
        }
        // One of a pair is missing, and one has another rank.
        let archive = try SafeTensors(data: whole, file: "a")
        var tensors = archive.names.compactMap { name in
            archive.tensor(name).map { (name: name, tensor: $0) }
        }
        let last = tensors.removeLast()
        try SafeTensors.write(tensors, to: weights)
        #expect(message(folder, onto: base).contains("has no tensor \"\(last.name)\""))
        tensors.append((last.name, Tensor(zeros: [last.tensor.rows, 4])))
        try SafeTensors.write(tensors, to: weights)
        #expect(message(folder, onto: base).contains("its partner has rank 3"))
        try SafeTensors.write([("base_model.model.x", last.tensor)], to: weights)
        #expect(message(folder, onto: base).contains("is no part of a low-rank adapter"))
        try FileManager.default.removeItem(atPath: weights)
        #expect(message(folder, onto: base).contains("adapter_model.safetensors"))
        try Data([1]).write(to: URL(filePath: folder.path + "/adapter_model.bin"))
        #expect(message(folder, onto: base).contains("pickle"))
    }

    @Test func `ranks beyond a matrix and targets that are none are refused`() throws {
        let base = try TrainablePartTests.model("llama")
        func refusal(_ rank: Int, _ targets: [String]) -> String {
            do {
                _ = try base.adding(
                    AdapterConfiguration(rank: rank, alpha: 1, targets: targets),
                    key: RandomKey(seed: 1))
                return "no error"
            } catch {
                return "\(error)"
            }
        }
        #expect(refusal(25, ["q_proj"]).contains("at most the smaller side"))
        #expect(refusal(24, ["q_proj"]) == "no error")
        #expect(refusal(2, ["q_proj", "c_attn"]).contains("on=c_attn is not possible"))
    }
}
