import Foundation
import JSON
import Tensors
import Testing

@testable import Transformers

/// `config.json`, read and written; whole sentences for invalid files.
@Suite struct ConfigurationTests {
    private static let sizes = """
        "hidden_size": 16, "num_hidden_layers": 2, "num_attention_heads": 4, \
        "intermediate_size": 24, "vocab_size": 50, "architectures": ["LlamaForCausalLM"]
        """

    private func read(_ text: String) throws -> ModelConfiguration {
        try ModelConfiguration(json: Data(text.utf8), name: "c.json")
    }

    private func complaint(_ text: String) -> String {
        do {
            _ = try read(text)
            return "none"
        } catch {
            return "\(error)"
        }
    }

    @Test(arguments: [
        ("{", "c.json: it is not JSON: line 1, column 2: the text ends too early."),
        ("[1]", "c.json: it is not a JSON object."),
        (
            #"{"model_type": "bert"}"#,
            """
            Models of type "bert" are not supported. Supported types: gpt2, llama, mistral, mixtral, qwen2, \
            qwen3.
            """
        ),
        (
            #"{"model_type": "llama"}"#, #"c.json: "hidden_size" is missing."#
        ),
        (
            #"{"model_type": "llama", "hidden_size": "wide"}"#,
            #"c.json: "hidden_size" has a value of the wrong kind."#
        ),
        (
            #"{"model_type": "llama", "hidden_size": 99999999999999999999}"#,
            #"c.json: "hidden_size" has a value of the wrong kind."#
        ),
        (
            #"{"hidden_size": 16, "hidden_size": 16}"#,
            #"c.json: it is not JSON: line 1, column 21: the key "hidden_size" occurs twice."#
        ),
        (
            "{\(sizes), \"hidden_act\": \"relu\"}",
            #"c.json: "hidden_act" is "relu"; "silu" or "swish" is what works."#
        ),
        (
            "{\(sizes), \"num_key_value_heads\": 3}",
            "c.json: 4 heads cannot share 3 key/value heads evenly."
        ),
        (
            "{\(sizes), \"head_dim\": 5}",
            "c.json: a head of 5 elements cannot be rotated in pairs."
        ),
        (
            "{\(sizes), \"rope_scaling\": {\"type\": \"mrope\"}}",
            """
            c.json, "rope_scaling": scaling the rotary embedding by type "mrope" is not supported; \
            linear, dynamic, llama3, yarn, longrope are.
            """
        ),
        (
            "{\(sizes), \"rope_scaling\": {\"type\": \"longrope\", \"short_factor\": [1]}}",
            """
            c.json, "rope_scaling": "short_factor" has 1 factors, and a head turns in 2 pairs.
            """
        ),
        (
            """
            {\(sizes), "rope_scaling": {"type": "linear", "rope_type": "default", "factor": 4.0}}
            """,
            """
            c.json, "rope_scaling": "rope_type" is "default" and "type" is "linear"; programs disagree \
            on which counts; remove one.
            """
        ),
        (
            """
            {\(sizes), "rope_theta": 1e6, "rope_scaling": {"rope_type": "default", "rope_theta": 5e5}}
            """,
            """
            c.json, "rope_scaling": "rope_theta" is 500000.0, and beside this section it is 1000000.0; \
            programs disagree on which counts; remove one.
            """
        ),
        (
            """
            {\(sizes), "rope_parameters": {"rope_theta": 1e6}, "rope_scaling": {"type": "default"}}
            """,
            """
            c.json: "rope_scaling" and "rope_parameters" differ, and programs disagree on which counts; \
            remove one.
            """
        ),
        (
            "{\(sizes), \"rope_parameters\": {\"full_attention\": {\"rope_theta\": 1e6}}}",
            """
            c.json, "rope_parameters": the key "full_attention" is not known here and may change what \
            the model computes; if it does not, remove it from the file.
            """
        ),
        (
            "{\(sizes), \"attn_logit_softcapping\": 50.0}",
            """
            c.json: the key "attn_logit_softcapping" is not known here and may change what the model \
            computes; if it does not, remove it from the file.
            """
        ),
        (
            "{\(sizes), \"layer_types\": [\"full_attention\", \"sliding_attention\"]}",
            """
            c.json: the key "layer_types" is not known here and may change what the model computes; if \
            it does not, remove it from the file.
            """
        ),
        (
            #"{"hidden_size": 16, "architectures": ["GemmaForCausalLM"]}"#,
            """
            c.json: "model_type" is missing, and "architectures" names no family either; add \
            "model_type": one of gpt2, llama, mistral, mixtral, qwen2, qwen3.
            """
        ),
        (
            #"{"model_type": "llama", "initializer_range": NaN}"#,
            """
            c.json: it is not JSON: line 1, column 46: NaN, which Python writes, is not JSON; write \
            null or a number in its place.
            """
        ),
        (
            "{\(sizes), \"rope_scaling\": {\"type\": \"linear\"}}",
            #"c.json, "rope_scaling": "factor" is missing."#
        ),
        (
            "{\(sizes), \"rope_scaling\": {\"type\": \"linear\", \"factor\": 0.5}}",
            #"c.json, "rope_scaling": "factor" is 0.5, below 1."#
        ),
        (
            "{\(sizes), \"rms_norm_eps\": 0}",
            #"c.json: "rms_norm_eps" is 0.0, not above zero."#
        ),
        (
            "{\(sizes), \"eos_token_id\": [2, 50]}",
            "c.json: token 50 is outside the vocabulary of 50."
        ),
        (
            "{\(sizes), \"quantization_config\": {\"bits\": 4}}",
            """
            c.json: its weights are quantized ("quantization_config"), which is not supported; \
            take the original in float32, bfloat16 or float16.
            """
        ),
        (
            "{\(sizes), \"model_type\": \"mixtral\", \"num_local_experts\": 2, \"num_experts_per_tok\": 3}",
            #"c.json: "num_experts_per_tok" is 3, of 2 experts."#
        ),
        (
            "{\(sizes), \"model_type\": \"qwen2\", \"use_sliding_window\": true, \"layer_types\": [\"full_attention\"]}",
            #"c.json: "layer_types" names 1 layers of 2."#
        ),
        (
            #"{"model_type": "gpt2", "n_embd": 10, "n_head": 3}"#,
            "c.json: 3 heads cannot share a width of 10 evenly."
        ),
        (
            #"{"model_type": "gpt2", "scale_attn_by_inverse_layer_idx": true}"#,
            """
            c.json: "scale_attn_by_inverse_layer_idx" is true, which is not supported; false is.
            """
        ),
    ])
    func whatCannotBeIsASentence(text: String, sentence: String) {
        #expect(complaint(text) == sentence)
    }

    @Test func deepAndEndlessTextsAreRefused() {
        let deep = String(repeating: "[", count: 100_000)
        #expect(
            complaint("{\"a\": \(deep)")
                == "c.json: it is not JSON: line 1, column 70: it is nested more than 64 deep.")
        #expect(complaint("{\"a\": \"").hasSuffix("the closing quote is missing."))
        #expect(
            complaint(
                """
                {"model_type": "llama", "hidden_size": 16777216, "num_hidden_layers": 4096, "num_attention_heads": 64, \
                "head_dim": 2, "intermediate_size": 16777216, "vocab_size": 16777216}
                """
            ).hasSuffix("more weights than any machine holds."))
    }

    /// Files written by transformers, TRL and others have many keys that change no number.
    @Test func keysThatChangeNothingArePassedOver() throws {
        let found = try read(
            """
            {\(Self.sizes), "_attn_implementation": "eager", "transformers_version": "4.57.6", \
            "attention_dropout": 0.1, "pretraining_tp": 2, "use_cache": true, "layer_types": null, \
            "attn_logit_softcapping": null, "use_mrope": false, "mlp_only_layers": [], \
            "eos_token_id": -1, "bos_token_id": -1, "pad_token_id": -1}
            """)
        #expect(found.endTokens.isEmpty && found.beginToken == nil)
        #expect(found.modelType == "llama")
    }

    /// A workspace of an earlier version holds texts that were read with less care.
    @Test func anAcceptedTextIsReadAsBefore() throws {
        let text = """
            {"hidden_size": 16, "num_hidden_layers": 2, "num_attention_heads": 4, \
            "intermediate_size": 24, "vocab_size": 50, "zeta": 1, \
            "rope_scaling": {"type": "linear", "rope_type": "default", "other": 1}}
            """
        let found = try ModelConfiguration(
            json: Data(text.utf8), name: "c.json", isAccepted: true)
        #expect(found.modelType == "llama" && found.ropeScaling == nil)
    }

    /// Null derives the number of key and value heads from the heads; silence is Mistral's own 8.
    @Test func nullIsNotSilence() throws {
        let null = try read(
            "{\(Self.sizes), \"model_type\": \"mistral\", \"num_key_value_heads\": null}")
        #expect(null.keyValueHeads == 4)
        #expect(
            complaint("{\(Self.sizes), \"model_type\": \"mistral\"}")
                == "c.json: 4 heads cannot share 8 key/value heads evenly.")
    }

    @Test func mistralsSilenceIsAWindowAndNullIsNone() throws {
        let silent = try read(
            "{\(Self.sizes), \"model_type\": \"mistral\", \"num_key_value_heads\": 2}")
        #expect(silent.window(layer: 1) == 4096)
        let none = try read(
            """
            {\(Self.sizes), "model_type": "mistral", "num_key_value_heads": 2, \
            "sliding_window": null}
            """)
        #expect(none.window(layer: 1) == nil)
    }

    /// transformers 5 keeps base and scaling in one object.
    @Test func newerFilesKeepRotaryParametersTogether() throws {
        let found = try read(
            """
            {\(Self.sizes), "rope_parameters": {"rope_theta": 500000.0, "rope_type": "linear", \
            "factor": 2.0}}
            """)
        #expect(found.ropeTheta == 500_000)
        #expect(found.ropeScaling == .linear(factor: 2))
    }

    @Test(arguments: Families.all.keys.sorted())
    func everyFamilyReadsWhatItWrites(family: String) throws {
        var shape = ModelConfiguration(
            modelType: family, hiddenSize: 16, layers: 3, heads: 4, feedForwardSize: 24,
            vocabularySize: 50, contextLength: 64, normEpsilon: 1e-4, tiedHead: false,
            initializerRange: 0.05, beginToken: nil, endTokens: [3, 4])
        switch family {
        case "llama":
            (shape.attentionBias, shape.feedForwardBias) = (true, true)
            shape.ropeScaling = .llama3(
                factor: 8, lowFrequency: 1, highFrequency: 4, original: 32)
        case "mistral":
            (shape.slidingWindow, shape.headSize) = (7, 6)
            shape.windowedLayers = .listed([true, false, true])
            shape.ropeScaling = .yarn(
                .init(
                    factor: 4, amplitude: 1.2, fastTurns: 16, slowTurns: 2, original: 16,
                    isRounded: false))
        case "mixtral": (shape.experts, shape.expertsPerToken) = (4, 2)
        case "qwen2":
            shape.attentionBias = true
            (shape.slidingWindow, shape.windowedLayers) = (5, .listed([false, true, true]))
        case "qwen3":
            shape.ropeScaling = .longrope(
                .init(short: [1, 1.5], long: [2, 3], amplitude: 1.1, original: 32))
            (shape.ropeTheta, shape.windowedLayers) = (1e6, .all)
        default: (shape.attentionBias, shape.feedForwardBias) = (true, true)
        }
        let found = try ModelConfiguration(json: shape.json, name: "c.json")
        #expect(found == shape)
        #expect(found.json == shape.json)
        #expect(try LanguageModel(found, key: RandomKey(seed: 1)).parameterCount > 0)
    }

    @Test func aFileComesBackAsItWasButForWhatChanged() throws {
        let text = """
            {
              "_zeta": [1, 2.50, {"x": null}],
              \(Self.sizes),
              "rms_norm_eps": 1e-05,
              "num_key_value_heads": 2
            }
            """
        var found = try read(text)
        #expect(String(decoding: found.json, as: UTF8.self) == text)
        found.layers = 3
        let changed = try JSON.read([UInt8](found.json))
        #expect(changed["num_hidden_layers"]?.integer == 3)
        #expect(changed["rms_norm_eps"] == .number("1e-05"))
        #expect(changed["_zeta"]?.elements?[1] == .number("2.50"))
        #expect(changed.members?.count == 9)
        #expect(try read(String(decoding: found.json, as: UTF8.self)) == found)
    }

    /// θ = 10000, size 8; transformers' `_compute_llama3_parameters` in float64.
    @Test func llama3ScalingKeepsFastAnglesAndDividesSlowOnes() {
        let frequencies = RotaryFrequencies(
            theta: 10_000, headSize: 8,
            scaling: .llama3(factor: 8, lowFrequency: 1, highFrequency: 4, original: 64),
            originalContext: 512
        ).inverse(length: 10)
        let plain = [1, 0.1, 0.01, 0.001]
        #expect(frequencies[0] == plain[0])
        #expect(abs(frequencies[2] - plain[2] / 8) < 1e-12)
        #expect(abs(frequencies[3] - plain[3] / 8) < 1e-12)
        // 64 · 0.1 / 2π = 1.0186 turns: hardly above the slow ones.
        let smooth = (6.4 / (2 * Double.pi) - 1) / 3
        #expect(abs(frequencies[1] - ((1 - smooth) * 0.1 / 8 + smooth * 0.1)) < 1e-12)
    }
}
