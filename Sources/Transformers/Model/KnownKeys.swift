import JSON

/// Keys of `config.json` that change nothing here: no number, no text. Any other key that no family
/// reads could change what the model computes, so it is refused by name.
enum KnownKeys {
    static let harmless: Set<String> = origin.union(tokens).union(sampling).union(training)
        .union(rounding)

    /// Who wrote the file, and how other programs load and show the model.
    private static let origin: Set<String> = [
        "architectures", "attn_implementation", "auto_map", "custom_pipelines", "dtype",
        "finetuned", "finetuning_task", "gradient_checkpointing", "id2label", "is_decoder",
        "is_llama_config", "label2id", "license", "max_seq_length", "max_sequence_length",
        "model_max_length", "model_type", "n_ctx", "name_or_path", "num_labels",
        "output_attentions", "output_hidden_states", "predict_special_tokens", "prefix",
        "problem_type", "processor_class", "return_dict", "seq_length", "summary_activation",
        "summary_first_dropout", "summary_proj_to_labels", "summary_type", "summary_use_proj",
        "task_specific_params", "tokenizer_class", "tokenizer_model_max_length",
        "tokenizer_padding_side", "torch_dtype", "torchscript", "transformers.js_config",
        "transformers_version", "unsloth_fixed", "unsloth_version", "use_bfloat16", "use_cache",
        "use_flash_attention_2", "use_flash_attn",
    ]

    /// Tokens that a scored or generated text does not contain.
    private static let tokens: Set<String> = [
        "bos_token_id", "cls_token_id", "decoder_start_token_id", "eos_token_id",
        "forced_bos_token_id", "forced_eos_token_id", "mask_token_id", "pad_token_id",
        "sep_token_id", "unk_token_id",
    ]

    /// Defaults of transformers' `generate`; here a statement gives its own settings.
    private static let sampling: Set<String> = [
        "bad_words_ids", "begin_suppress_tokens", "diversity_penalty", "do_sample",
        "early_stopping", "encoder_no_repeat_ngram_size", "exponential_decay_length_penalty",
        "length_penalty", "max_length", "max_new_tokens", "min_length", "no_repeat_ngram_size",
        "num_beam_groups", "num_beams", "num_return_sequences", "output_scores",
        "remove_invalid_values", "repetition_penalty", "return_dict_in_generate",
        "suppress_tokens", "temperature", "top_k", "top_p", "typical_p",
    ]

    /// Dropout and losses of the training that made the model; a pass here has none.
    private static let training: Set<String> = [
        "attention_dropout", "attention_probs_dropout_prob", "attn_pdrop", "embd_pdrop",
        "embedding_dropout", "hidden_dropout", "hidden_dropout_prob", "initializer_factor",
        "initializer_range", "neftune_noise_alpha", "output_router_logits", "resid_pdrop",
        "residual_dropout", "router_aux_loss_coef", "router_jitter_noise",
    ]

    /// The order and the precision of sums.
    private static let rounding: Set<String> = [
        "chunk_size_feed_forward", "pretraining_tp", "reorder_and_upcast_attn",
    ]

    /// Whether a value says that something is off or left to its default: null, false, or nothing.
    static func isOff(_ value: JSON) -> Bool {
        switch value {
        case .null, .bool(false): true
        case .string(let text): text.isEmpty
        case .array(let items): items.isEmpty
        case .object(let members): members.isEmpty
        default: false
        }
    }
}
