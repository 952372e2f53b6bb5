import ChatTemplates
import Foundation
import Testing
import TextModels

@testable import Commands
@testable import Rendering
@testable import Sessions
@testable import Values

/// Models with a chat template, through the statements of a user.
@Suite struct ChatPromptTests {
    /// Writes the folder `plain`: a small model with random weights, and a chat template.
    private static func export(to bench: Workbench, _ template: String? = nil) throws {
        try bench.output(
            """
            train tokenizer vocabulary=300 documents=50 seed=1
            new model layers=1 width=32 heads=2 context=400 seed=3
            export model plain
            """)
        try FileManager.default.removeItem(atPath: bench.folder + "/plain/prompts.json")
        if let template { try bench.write("plain/chat_template.jinja", template) }
    }

    @Test func `a model with a chat template is prompted through it, also after a reopening`()
        throws
    {
        let bench = try Workbench(access: .readWrite)
        let template =
            "{% for m in messages %}[{{ m.role }} {{ strftime_now('%Y') }}] {{ m.content }} [/]"
            + "{% endfor %}"
        try Self.export(to: bench, template)
        try bench.write(
            "r.jsonl",
            (0..<2).map {
                "{\"query\": \"a\", \"constitution\": \($0), \"response\": \"Number \($0).\"}\n"
            }.joined())
        // A prompts.json of the directory comes first.
        try bench.output("load model plain prompts=general; export model other")
        #expect(try bench.output("load model other; model.prompts").value?.asText == "general")
        try bench.output(
            """
            load model plain date="2031-05-06" as=writer
            load model plain
            queries = [{"id": "a", "post": "one"}, {"id": "b", "post": "two"}]
            principles = [{"principle": "Be brief.", "antithesis": "Be long."}]
            compose count=2
            load rollouts r.jsonl
            score
            """)
        #expect(try bench.output("model.prompts").value?.asText == "chat")
        bench.session.close()
        let again = try bench.reopened()
        let object = try #require(try again.value(of: "writer")?.object(ModelObject.self))
        let text = try object.textModel(try #require(object.tokenizer))
        #expect(text.prompts == .chat)
        let hello = [ChatMessage(role: "user", content: "List some.")]
        #expect(try text.chat?.prompt(hello) == "[user 2031] List some. [/]")
        let rollouts = try #require(try again.value(of: "rollouts")?.object(RolloutsObject.self))
        guard case .text(let prompt)? = rollouts.rollouts.groups.first?.prompts.first else {
            Issue.record("there is no prompt")
            return
        }
        #expect(prompt.hasPrefix("[user 2024] ") && prompt.hasSuffix(" [/]"))
        again.close()
    }

    @Test(arguments: [
        ("{{ raise_exception('Closed.') }}", "the chat template refuses these messages: Closed"),
        ("{% for m in %}", "the chat template cannot be read: line 1"),
        ("Hello", "the chat template leaves out what the user says"),
        (
            "{% for m in messages %}{{ m.content }}<|im_end|>{% endfor %}",
            "the chat template ends an answer with <|im_end|>, which is no token of this tokenizer"
        ),
    ])
    func `a chat template that cannot be used leaves the model as it was`(
        _ template: String, _ sentence: String
    ) throws {
        let bench = try Workbench()
        try Self.export(to: bench, template)
        let failure = bench.complaint("load model plain")
        #expect(failure.contains(sentence) && failure.contains("prompts=general"), "\(failure)")
        #expect(try bench.output("model.origin").value?.asText == "random weights")
        try bench.output("load model plain prompts=general")
    }

    @Test func `of several chat templates the one that is named is used`() throws {
        let bench = try Workbench()
        try Self.export(to: bench)
        let templates = ["rag", "tool_use"].map {
            "{\"name\": \"\($0)\", \"template\": \"\($0): {{ messages[0].content }}\"}"
        }
        try bench.write(
            "plain/tokenizer_config.json",
            "{\"chat_template\": [\(templates.joined(separator: ", "))]}")
        let failure = bench.complaint("load model plain")
        #expect(failure.contains("has the chat templates rag, tool_use, and none is `default`"))
        let other = bench.complaint("load model plain template=\"rug\"")
        #expect(other.contains("there is no chat template rug"))
        try bench.output("load model plain template=\"rag\"")
        let object = try #require(try bench.session.value(of: "model")?.object(ModelObject.self))
        let hello = [ChatMessage(role: "user", content: "Hi.")]
        #expect(try object.promptFormat()?.prompt(hello) == "rag: Hi.")
    }

    @Test func `show prompt prints what would be sampled from and scored`() throws {
        let bench = try Workbench()
        try Self.export(
            to: bench, "{% for m in messages %}[{{ m.role }}] {{ m.content }} {% endfor %}")
        try bench.output(
            """
            load model plain
            queries = [{"id": "a", "post": "one"}, {"id": "b", "question": "two?"}]
            """)
        let text = try bench.text("show prompt queries[0] constitution=\"Be brief.\"")
        let wanted =
            "[user] one\n\nWrite a summary of the post above. Follow these principles:\n"
            + "1. Be brief. "
        #expect(text.contains(wanted.trimmed), "\(text)")
        #expect(text.contains("training: the same"))
        #expect(text.hasSuffix("The response follows directly."), "\(text)")
        #expect(
            bench.complaint("show prompt queries[1]").contains("no constitution is composed"))
        try bench.output(
            """
            principles = [{"principle": "Be brief.", "antithesis": "Be long."}]
            compose count=2
            """)
        let first = try bench.text("show prompt queries[1]")
        let second = try bench.text("show prompt queries[1] constitution=1")
        #expect(first != second)
        #expect([first, second].allSatisfy { $0.contains("Answer the question above.") })
        #expect(bench.complaint("show prompt queries[1] constitution=2").contains("constitutions"))
        #expect(bench.complaint("show prompt queries").contains("show prompt queries[0]"))
        try bench.output("load model plain prompts=general")
        let general = try bench.text("show prompt queries[0]")
        #expect(general.contains("training: ") && !general.contains("training: the same"))
        #expect(try bench.text("show prompts").hasPrefix("prompts: general"))
    }

    @Test func `a conversation goes on under its name`() throws {
        let bench = try Workbench()
        try Self.export(
            to: bench, "{% for m in messages %}[{{ m.role }}] {{ m.content }} {% endfor %}")
        try bench.write(
            "plain/generation_config.json",
            #"{"temperature": 0.25, "top_k": 7, "top_p": 4, "eos_token_id": [1, 2]}"#)
        #expect(
            bench.complaint(#"new model layers=1 width=32 vocabulary=300; chat "Hi.""#)
                .contains("no chat template"))
        try bench.output("load model plain")
        #expect(try bench.output("model.sampling.top_k").value?.asInteger == 7)
        #expect(try bench.output("model.sampling.temperature").value?.asNumber == 0.25)
        func roles(_ name: String) throws -> [String] {
            let value = try bench.output("\(name).role").value
            guard case .list(let roles)? = value else { return [] }
            return roles.compactMap(\.asText)
        }
        try bench.output(#"chat "Hi." max_tokens=3"#)
        try bench.output(#"chat "And now?" max_tokens=3 system="Be brief.""#)
        #expect(try roles("conversation") == ["system", "user", "assistant", "user", "assistant"])
        try bench.output(#"talk = chat "Hi." max_tokens=3"#)
        #expect(try roles("talk") == ["user", "assistant"])
        try bench.output(#"chat "Hi." max_tokens=3 new=true"#)
        #expect(try roles("conversation") == ["user", "assistant"])
        // The same statement at the same place gives the same answer.
        let one = try bench.output(#"generate "Hi." chat=true max_tokens=5 seed=4"#).value?.asText
        let two = try bench.output(#"generate "Hi." chat=true max_tokens=5 seed=4"#).value?.asText
        #expect(one == two && one != nil)
        try bench.output("conversation = 3")
        #expect(bench.complaint(#"chat "Hi.""#).contains("no conversation"))
        try bench.output("load model plain prompts=general")
        try bench.output(#"talk = chat "Go on." max_tokens=3"#)
        #expect(try roles("talk").count == 4)
        let long = String(repeating: "very ", count: 500)
        #expect(bench.complaint(#"chat "\#(long)" new=true"#).contains("the context has 400"))
    }

    @Test func `a prompt that spells the first token gets no second one`() throws {
        let bench = try Workbench()
        try Self.export(to: bench)
        try bench.output("load model plain")
        for (file, begin) in [("plain.jsonl", ""), ("spelled.jsonl", "<s>")] {
            let lines = (0..<2).map {
                "{\"query\": \"a\", \"constitution\": \($0), \"prompt\": \"\(begin)P\($0):\", "
                    + "\"response\": \" r\($0)\"}\n"
            }
            try bench.write(file, lines.joined())
        }
        let plain = try #require(
            try bench.output("load rollouts plain.jsonl; score").value?.asTensor)
        let output = try bench.output("load rollouts spelled.jsonl; score")
        let spelled = try #require(output.value?.asTensor)
        #expect(
            output.notes == ["the prompts of 1 query begin with <s> already, so none is added: a"])
        #expect(plain.values == spelled.values)
        let tokens = try bench.output(#"tokenize "<s>a""#)
        #expect(tokens.value?.json.hasPrefix("[1,") == true)
        #expect(tokens.notes.count == 1 && tokens.notes[0].contains("twice"))
        #expect(try bench.output(#"tokenize "a""#).notes.isEmpty)
    }
}
