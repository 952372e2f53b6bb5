import JSON
import TextModels
import Tokenizers
import Values

/// The sampling that a model's generation_config.json suggests. `chat` starts from it; the method
/// never does, because its responses would then come from a changed distribution.
struct SamplingDefaults {
    private(set) var temperature: Double?
    private(set) var topP: Double?
    private(set) var topK: Int?

    /// Nil if the directory has no such file, or none of these settings. Values outside a setting's
    /// range are left out.
    init?(_ directory: TokenizerDirectory?) {
        guard let data = directory?.files["generation_config.json"],
            let file = try? JSON.read(data)
        else { return nil }
        temperature = file["temperature"]?.double.flatMap { 0...1e6 ~= $0 ? $0 : nil }
        topP = file["top_p"]?.double.flatMap { $0 > 0 && $0 <= 1 ? $0 : nil }
        topK = file["top_k"]?.integer.flatMap { 0...1 << 31 ~= $0 ? $0 : nil }
        if file["do_sample"]?.bool == false { temperature = 0 }
        if temperature == nil, topP == nil, topK == nil { return nil }
    }

    func apply(to sampling: inout Sampling) {
        if let temperature { sampling.temperature = temperature }
        if let topP { sampling.topP = topP }
        if let topK { sampling.topK = topK }
    }

    var record: Record {
        var record: Record = [:]
        if let temperature { record["temperature"] = .number(temperature) }
        if let topP { record["top_p"] = .number(topP) }
        if let topK { record["top_k"] = Value(topK) }
        return record
    }
}
