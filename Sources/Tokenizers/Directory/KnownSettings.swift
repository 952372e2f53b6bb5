import JSON

/// The settings of `tokenizer_config.json` and `special_tokens_map.json`. One that is neither read
/// nor known to change no id here is refused by name.
enum KnownSettings {
    /// Settings that `TokenizerConfiguration` reads.
    private static let read: Set<String> = [
        "add_bos_token", "add_eos_token", "add_prefix_space", "added_tokens_decoder",
        "additional_special_tokens", "chat_template", "extra_special_tokens", "legacy",
        "model_specific_special_tokens", "split_special_tokens", "tokenizer_class",
    ]

    private static let harmless: Set<String> = [
        // How other programs load and name the tokenizer.
        "auto_map", "backend", "device_map", "errors", "from_slow", "is_local", "local_files_only",
        "merges_file", "model_type", "name_or_path", "processor_class", "special_tokens_map_file",
        "tokenizer_file", "tokenizer_type", "transformers_version", "trust_remote_code", "use_fast",
        "verbose", "vocab_file", "vocab_size",
        // Batches of texts: lengths, padding, and what a call returns.
        "max_len", "max_length", "max_model_input_sizes", "model_input_names", "model_max_length",
        "pad_to_multiple_of", "pad_token_type_id", "padding", "padding_side",
        "return_token_type_ids", "stride", "truncation", "truncation_side", "truncation_strategy",
        // Offsets, decoded text, and answers of a chat.
        "chat_control_tokens", "clean_up_tokenization_spaces", "response_schema",
        "response_template", "spaces_between_special_tokens", "trim_offsets",
        "use_default_system_prompt",
    ]

    static func check(_ field: Field) throws {
        for member in try field.members() {
            let name = member.key
            guard !read.contains(name), !harmless.contains(name), !isHarmless(member) else {
                continue
            }
            throw TokenizerError.unknownConfiguration(setting: name)
        }
    }

    static func checkMap(_ field: Field) throws {
        for member in try field.members()
        where !read.contains(member.key) && !isHarmless(member) {
            throw TokenizerError.unknownConfiguration(setting: member.key)
        }
    }

    /// By its form: a token, an id, a private note of another program, or something that is off.
    private static func isHarmless(_ member: JSON.Member) -> Bool {
        if member.key.hasSuffix("_token") || member.key.hasSuffix("_token_id")
            || member.key.hasPrefix("_")
        {
            return true
        }
        return switch member.value {
        case .null, .bool(false): true
        case .string(let text): text.isEmpty
        case .array(let items): items.isEmpty
        case .object(let members): members.isEmpty
        default: false
        }
    }
}
