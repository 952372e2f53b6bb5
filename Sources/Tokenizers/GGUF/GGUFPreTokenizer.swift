/// How a byte-level tokenizer in a GGUF file splits text into words. The file has only a name for
/// it (`tokenizer.ggml.pre`); the patterns are those of llama.cpp for the name, or of the
/// tokenizer.json of the models that have it, where llama.cpp approximates these.
struct GGUFPreTokenizer {
    let names: [String]
    /// Each splits the pieces that the one before has left.
    let patterns: [String]
    /// Whether a word that is itself a token stays whole.
    var ignoresMerges = false
    /// Whether texts start with the begin token where the file does not say.
    var addsBOS = false
    /// Whether accented letters are composed first (NFC).
    var composes = false

    static func named(_ name: String) -> GGUFPreTokenizer? {
        all.first { $0.names.contains(name) }
    }

    static let all: [GGUFPreTokenizer] = [
        GGUFPreTokenizer(
            names: [
                "gpt-2", "phi-2", "mpt", "olmo", "jais", "trillion", "granite-docling", "gigachat",
                "exaone4", "mellum", "a.x-4.0",
            ],
            patterns: [gpt2]),
        GGUFPreTokenizer(
            names: [
                "smollm", "starcoder", "refact", "command-r", "codeshell", "exaone", "minerva-7b",
            ],
            patterns: [#"\p{N}"#, gpt2]),
        GGUFPreTokenizer(
            names: [
                "llama-bpe", "llama3", "llama-v3", "falcon3", "falcon-h1", "pixtral", "midm-2.0",
                "lfm2",
            ],
            patterns: [contractions + words(digits: #"\p{N}{1,3}"#)], ignoresMerges: true,
            addsBOS: true),
        GGUFPreTokenizer(
            names: ["dbrx", "smaug-bpe", "glm4", "chatglm-bpe"],
            patterns: [contractions + words(digits: #"\p{N}{1,3}"#)]),
        GGUFPreTokenizer(
            names: ["qwen2", "deepseek-r1-qwen", "megrez"],
            patterns: [contractions + words(digits: #"\p{N}"#)], composes: true),
        GGUFPreTokenizer(
            names: ["stablelm2", "hunyuan", "grok-2", "kormo"],
            patterns: [contractions + words(digits: #"\p{N}"#)]),
        GGUFPreTokenizer(
            names: ["tekken"], patterns: [cased + casedEnd(digits: #"\p{N}"#)],
            ignoresMerges: true, addsBOS: true),
        GGUFPreTokenizer(
            names: ["gpt-4o", "llama4"],
            patterns: [casedContractions + casedEnd(digits: #"\p{N}{1,3}"#)]),
        GGUFPreTokenizer(
            names: ["falcon"],
            patterns: [#"[\p{P}\$\+<=>\^~\|`]+"#, gpt2, "[0-9][0-9][0-9]"]),
        GGUFPreTokenizer(
            names: ["deepseek-llm"],
            patterns: [
                #"[\r\n]"#, #"\s?["# + latin + "]+", #"\s?[!-/:-~！-／：-～‘-‟　-。]+"#, #"\s+$"#,
                "[一-龥ࠀ-一가-퟿]+", #"\p{N}+"#,
            ]),
        GGUFPreTokenizer(
            names: ["deepseek-coder"],
            patterns: [
                #"[\r\n]"#, #"\s?\p{L}+"#, #"\s?\p{P}+"#, "[一-龥ࠀ-一가-퟿]+", #"\p{N}"#,
            ]),
        GGUFPreTokenizer(
            names: ["deepseek-v3", "hunyuan-dense"],
            patterns: [
                #"\p{N}{1,3}"#, "[一-龥぀-ゟ゠-ヿ]+",
                ##"[!"#$%&'()*+,\-./:;<=>?@\[\\\]^_`{|}~][A-Za-z]+|[^\r\n\p{L}\p{P}\p{S}]?"##
                    + #"[\p{L}\p{M}]+| ?[\p{P}\p{S}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"#,
            ]),
        GGUFPreTokenizer(
            names: ["default"],
            patterns: [
                #"[\p{P}\$\+<=>\^~\|]+"#, gpt2, #"\p{N}+"#, "[0-9][0-9][0-9]",
            ]),
    ]

    // MARK: - Parts of patterns

    private static let gpt2 = ByteLevelPreTokenizer.gpt2
    private static let contractions = "(?i:'s|'t|'re|'ve|'m|'ll|'d)|"

    private static func words(digits: String) -> String {
        #"[^\r\n\p{L}\p{N}]?\p{L}+|"# + digits
            + #"| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"#
    }

    private static let upper = #"[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]"#
    private static let lower = #"[\p{Ll}\p{Lm}\p{Lo}\p{M}]"#
    /// Words that end where capital letters begin.
    private static let cased = casedWords("")
    private static let casedContractions = casedWords("(?i:'s|'t|'re|'ve|'m|'ll|'d)?")

    private static func casedWords(_ ending: String) -> String {
        let first = #"[^\r\n\p{L}\p{N}]?"#
        return first + upper + "*" + lower + "+" + ending + "|" + first + upper + "+" + lower + "*"
            + ending + "|"
    }

    private static func casedEnd(digits: String) -> String {
        digits + #"| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+"#
    }

    /// DeepSeek's letters with cases.
    private static let latin =
        "A-Za-zµÀ-ÖØ-öø-ƺƼ-ƿǄ-ʓʕ-ʯͰ-ͳͶͷͻ-ͽͿΆΈ-ΊΌΎ-ΡΣ-ϵϷ-ҁҊ-ԯԱ-ՖႠ-ჅᎠ-Ᏽᏸ-ᏽᲐ-ᲺᲽ-Ჿᴀ-ᴫᵫ-ᵷᵹ-ᶚḀ-ἕἘ-Ἕἠ-ὅὈ-Ὅ"
        + "ὐ-ὗὙὛὝὟ-\u{1F7D}ᾀ-ᾴᾶ-ᾼ\u{1FBE}ῂ-ῄῆ-ῌῐ-\u{1FD3}ῖ-\u{1FDB}ῠ-Ῥῲ-ῴῶ-ῼℂℇℊ-ℓℕℙ-ℝℤ\u{2126}ℨ\u{212A}-ℭℯ-ℴℹℼ-ℿⅅ-ⅉⅎↃↄⰀ-ⱻⱾ-ⳤⳫ-ⳮⳲⳳꙀ-ꙭꚀ-ꚛ"
        + "Ꜣ-ꝯꝱ-ꞇꞋ-ꞎꭰ-ꮿﬀ-ﬆﬓ-ﬗＡ-Ｚａ-ｚ𐐀-𐑏𐒰-𐓓𐓘-𐓻𐲀-𐲲𐳀-𐳲𑢠-𑣟𞤀-𞥃"
}
