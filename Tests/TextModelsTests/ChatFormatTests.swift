import ChatTemplates
import Foundation
import Testing
import Tokenizers

@testable import TextModels

/// Chat templates of four published styles, and the joint of prompt and answer that follows from
/// each. Expected texts are those of transformers 4.57.6 (`apply_chat_template`).
@Suite struct ChatFormatTests {
    static let chatML = """
        {% for message in messages %}{% if loop.first and messages[0]['role'] != 'system' %}\
        {{ '<|im_start|>system\\nYou help.<|im_end|>\\n' }}{% endif %}\
        {{'<|im_start|>' + message['role'] + '\\n' + message['content'] + '<|im_end|>' + '\\n'}}\
        {% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>assistant\\n' }}{% endif %}
        """

    static let llama2 = """
        {% if messages[0]['role'] == 'system' %}{% set loop_messages = messages[1:] %}\
        {% set system_message = messages[0]['content'] %}{% else %}\
        {% set loop_messages = messages %}{% set system_message = false %}{% endif %}\
        {% for message in loop_messages %}\
        {% if (message['role'] == 'user') != (loop.index0 % 2 == 0) %}\
        {{ raise_exception('Conversation roles must alternate') }}{% endif %}\
        {% if loop.index0 == 0 and system_message != false %}\
        {% set content = '<<SYS>>\\n' + system_message + '\\n<</SYS>>\\n\\n' + message['content'] %}\
        {% else %}{% set content = message['content'] %}{% endif %}\
        {% if message['role'] == 'user' %}\
        {{ bos_token + '[INST] ' + content.strip() + ' [/INST]' }}\
        {% elif message['role'] == 'assistant' %}\
        {{ ' ' + content.strip() + ' ' + eos_token }}{% endif %}{% endfor %}
        """

    static let mistral = """
        {{ bos_token }}{% for message in messages %}\
        {% if (message['role'] == 'user') != (loop.index0 % 2 == 0) %}\
        {{ raise_exception('Conversation roles must alternate user/assistant') }}{% endif %}\
        {% if message['role'] == 'user' %}{{ '[INST] ' + message['content'] + ' [/INST]' }}\
        {% elif message['role'] == 'assistant' %}{{ message['content'] + eos_token }}\
        {% else %}{{ raise_exception('Only user and assistant roles are supported!') }}\
        {% endif %}{% endfor %}
        """

    static let llama3 = """
        {% set loop_messages = messages %}{% for message in loop_messages %}\
        {% set content = '<|start_header_id|>' + message['role'] + '<|end_header_id|>\\n\\n'\
        + message['content'] | trim + '<|eot_id|>' %}\
        {% if loop.index0 == 0 %}{% set content = bos_token + content %}{% endif %}\
        {{ content }}{% endfor %}{% if add_generation_prompt %}\
        {{ '<|start_header_id|>assistant<|end_header_id|>\\n\\n' }}{% endif %}
        """

    struct Style: CustomTestStringConvertible {
        var testDescription: String
        var template: String
        var withSystem: String
        var separator: String
        var endOfTurn: String
    }

    static let styles = [
        Style(
            testDescription: "ChatML", template: chatML,
            withSystem: "<|im_start|>system\nBe brief.<|im_end|>\n<|im_start|>user\nHi.<|im_end|>\n"
                + "<|im_start|>assistant\n",
            separator: "", endOfTurn: "<|im_end|>"),
        Style(
            testDescription: "Llama 2", template: llama2,
            withSystem: "<s>[INST] <<SYS>>\nBe brief.\n<</SYS>>\n\nHi. [/INST]",
            separator: " ", endOfTurn: "</s>"),
        // The template refuses the system message, which then begins the user's.
        Style(
            testDescription: "Mistral", template: mistral,
            withSystem: "<s>[INST] Be brief.\n\nHi. [/INST]", separator: "", endOfTurn: "</s>"),
        Style(
            testDescription: "Llama 3", template: llama3,
            withSystem: "<s><|start_header_id|>system<|end_header_id|>\n\nBe brief.<|eot_id|>"
                + "<|start_header_id|>user<|end_header_id|>\n\nHi.<|eot_id|>"
                + "<|start_header_id|>assistant<|end_header_id|>\n\n",
            separator: "", endOfTurn: "<|eot_id|>"),
    ]

    @Test(arguments: styles) func `a conversation, the joint and the end of a turn`(
        _ style: Style
    ) throws {
        let directory = try ChatDirectory.directory(style.template)
        let format = try ChatFormat(directory)
        let messages = [
            ChatMessage(role: "system", content: "Be brief."),
            ChatMessage(role: "user", content: "Hi."),
        ]
        let text = try format.prompt(messages)
        #expect(text == style.withSystem)
        #expect(format.separator == style.separator)
        #expect(format.endOfTurn == style.endOfTurn)
        let begun = try format.prompt(messages + [ChatMessage(role: "assistant", content: "Yes")])
        #expect(begun == style.withSystem + style.separator + "Yes")

        // The tokenizer adds <s> in front of a text, and the template writes it.
        let model = try tableModel([:], tokenizer: directory.tokenizer, context: 512)
        let begin = try #require(directory.tokenizer.id("<s>"))
        #expect(model.prompt("Hi.").tokens.first == begin)
        var asked = model
        asked.chat = format
        let prompt = try asked.prompt(.messages(messages))
        #expect(prompt.tokens.count { $0 == begin } == (style.template == Self.chatML ? 0 : 1))
        #expect(directory.tokenizer.decode(prompt.tokens, skipSpecial: false) == style.withSystem)
        #expect(asked.stopTokens.contains(try #require(directory.tokenizer.id(style.endOfTurn))))
    }

    @Test(arguments: styles) func `an answer has the ids that it has in a whole conversation`(
        _ style: Style
    ) throws {
        let directory = try ChatDirectory.directory(style.template)
        let tokenizer = directory.tokenizer
        let format = try ChatFormat(directory)
        var model = try tableModel([:], tokenizer: tokenizer, context: 512)
        model.chat = format
        let question = ChatMessage(role: "user", content: "Hi.")
        let prompt = try model.prompt(.messages([question]))
        let (ids, isSplit) = tokenizer.continuation(format.separator + "So be it.", of: prompt)
        #expect(!isSplit)
        let template = try #require(try directory.template())
        let whole = try template.render(
            messages: [question, ChatMessage(role: "assistant", content: "So be it.")],
            addGenerationPrompt: false,
            variables: directory.specialTokens.mapValues { .string($0) })
        let end = try #require(tokenizer.id(style.endOfTurn))
        let encoded = tokenizer.encode(whole, special: false)
        #expect(encoded.starts(with: prompt.tokens + ids))
        // Llama 2 writes a blank before the end.
        let rest = encoded.dropFirst((prompt.tokens + ids).count)
        #expect(rest.first == end || rest.dropFirst().first == end)
    }

    @Test func `a token over the joint is split, as sampling has to`() throws {
        let tokenizer = try BytePairTrainer(vocabularySize: 270).train(
            Array(repeating: "ab ab", count: 50))
        #expect(tokenizer.encode("ab", special: false).count == 1)
        let prompt = TextPrompt(text: "a", tokens: tokenizer.encode("a", special: false))
        let (ids, isSplit) = tokenizer.continuation("b", of: prompt)
        #expect(isSplit && ids == tokenizer.encode("b", special: false))
    }

    @Test func `a template that cannot be used says why`() throws {
        func format(_ template: String, _ name: String = "default") throws -> ChatFormat {
            try ChatFormat(ChatDirectory.directory(template), template: name)
        }
        #expect(throws: TemplateError.refused(message: "Not today.")) {
            try format("{{ raise_exception('Not today.') }}")
        }
        #expect(throws: ChatFormatError.silent) { try format("Hello") }
        #expect(throws: ChatFormatError.unknownMark("<|end|>")) {
            try format(Self.chatML.replacing("<|im_end|>", with: "<|end|>"))
        }
        #expect(throws: ChatFormatError.noTemplate("rag", known: ["default"])) {
            try format(Self.chatML, "rag")
        }
        // Plain text ends an answer: the tokenizer's own end token has to.
        let plain = "{% for m in messages %}{{ m.role }}: {{ m.content }}\n{% endfor %}assistant:"
        #expect(try format(plain).endOfTurn == nil)
    }

    @Test func `the day of a template stands still`() throws {
        let clock = "{{ strftime_now('%d %B %Y %H') }} {{ messages[0].content }}"
        let directory = try ChatDirectory.directory(clock)
        let hello = [ChatMessage(role: "user", content: "Hi.")]
        #expect(try ChatFormat(directory).prompt(hello) == "26 July 2024 12 Hi.")
        let day = try #require(TemplateDate("2026-02-03"))
        #expect(try ChatFormat(directory, date: day).prompt(hello) == "03 February 2026 12 Hi.")
        for text in ["", "today", "2026-2-3", "2026-13-01", "2026-02-03T10"] {
            #expect(TemplateDate(text) == nil, "\(text)")
        }
    }

    @Test func `messages without a chat template are refused`() throws {
        let model = try tableModel([:], tokenizer: .sentencePiece(), prompts: .chat)
        #expect(throws: PromptError.noChatTemplate) {
            try model.prompts.trainingPrompt(.post, "P", constitution: "1. C.", chat: model.chat)
        }
    }
}

/// A directory with a byte-level tokenizer that knows the marks of all templates and adds `<s>` in
/// front of a text.
enum ChatDirectory {
    static let marks = [
        "<s>", "</s>", "<|im_start|>", "<|im_end|>", "<|start_header_id|>", "<|end_header_id|>",
        "<|eot_id|>",
    ]

    static func directory(_ template: String) throws -> TokenizerDirectory {
        let trained = try BytePairTrainer(vocabularySize: 259).train(["a"])
        let parsed = try JSONSerialization.jsonObject(with: Data(trained.json.utf8))
        var file = try #require(parsed as? [String: Any])
        var next = Int32(trained.idLimit)
        var first: Int32 = 0
        file["added_tokens"] = marks.map { mark -> [String: Any] in
            // The trained vocabulary has some of them.
            let known = trained.id(mark)
            let id = known ?? next
            if known == nil { next += 1 }
            if mark == "<s>" { first = id }
            return [
                "id": id, "content": mark, "single_word": false, "lstrip": false,
                "rstrip": false, "normalized": false, "special": true,
            ]
        }
        let begin: [String: Any] = ["id": "<s>", "ids": [first], "tokens": ["<s>"]]
        file["post_processor"] = [
            "type": "TemplateProcessing",
            "single": [
                ["SpecialToken": ["id": "<s>", "type_id": 0]],
                ["Sequence": ["id": "A", "type_id": 0]],
            ],
            "pair": [], "special_tokens": ["<s>": begin],
        ]
        let settings = ["bos_token": "<s>", "eos_token": "</s>"]
        return try TokenizerDirectory(files: [
            "tokenizer.json": try JSONSerialization.data(withJSONObject: file),
            "tokenizer_config.json": try JSONSerialization.data(withJSONObject: settings),
            "chat_template.jinja": Data(template.utf8),
        ])
    }
}
