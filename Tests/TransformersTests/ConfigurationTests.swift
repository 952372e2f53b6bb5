import Foundation
import JSON
import Tensors
import Testing

@testable import Transformers

/// `config.json`, read and written; whole sentences for invalid files.
@Suite struct ConfigurationTests {
    private static let sizes = """
        "hidden_size": 16, "num_hidden_layers": 2, "num_attention_heads": 4, \
        "intermediate_size": 24, "vocab_size": 50
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
            #"{"hidden_size": "wide"}"#,
            #"c.json: "hidden_size" has a value of the wrong kind."#
        ),
        (
            #"{"hidden_size": 99999999999999999999}"#,
            #"c.json: "hidden_size" has a value of the wrong kind."#
        ),
        (
            #"{"hidden_size": 16, "hidden_size": 16}"#,
            #"c.json: it is not JSON: line 1, column 21: the key "hidden_size" occurs twice."#
        ),
        (
            "{\(sizes), \"hidden_act\": \"relu\"}",
            #"c.json: "hidden_act" is "relu"; "silu" is what works."#
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
            "{\(sizes), \"rope_scaling\": {\"type\": \"yarn\", \"factor\": 2}}",
            """
            c.json, "rope_scaling": scaling the rotary embedding by type "yarn" is not supported; \
            linear, dynamic, llama3 are.
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
                {"hidden_size": 16777216, "num_hidden_layers": 4096, "num_attention_heads": 64, \
                "head_dim": 2, "intermediate_size": 16777216, "vocab_size": 16777216}
                """
            ).hasSuffix("more weights than any machine holds."))
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
        case "mistral": (shape.slidingWindow, shape.headSize) = (7, 6)
        case "mixtral": (shape.experts, shape.expertsPerToken) = (4, 2)
        case "qwen2":
            shape.attentionBias = true
            (shape.slidingWindow, shape.windowedLayers) = (5, .listed([false, true, true]))
        case "qwen3":
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
              "zeta": [1, 2.50, {"x": null}],
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
        #expect(changed["zeta"]?.elements?[1] == .number("2.50"))
        #expect(changed.members?.count == 8)
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
