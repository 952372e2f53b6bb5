import Testing

@testable import CommandLanguage

@Suite struct CompletionTests {
    /// `|` marks the cursor; the text after it is ignored.
    private func context(_ marked: String) -> CompletionContext {
        let parts = marked.split(separator: "|", maxSplits: 1, omittingEmptySubsequences: false)
        return grammar.completionContext(
            for: parts.joined(), at: parts[0].utf8.count)
    }

    private func show(_ context: CompletionContext) -> String {
        let wants = context.wants.map { want in
            switch want {
            case .verbs: "verbs"
            case .words(let choices): choices.map(\.word).joined(separator: "/")
            case .keys(let keys): keys.map { "\($0.word)=" }.joined(separator: "/")
            case .names: "names"
            case .namesOf(let kind): "names of \(kind)"
            case .items(let node): "items of \(CommandLanguageTests.show(node))"
            case .functions: "functions"
            case .fields(let node): "fields of \(CommandLanguageTests.show(node))"
            case .path: "path"
            case .topics: "topics"
            }
        }
        return "'\(context.prefix)' " + wants.joined(separator: ", ")
    }

    @Test(
        "at every place the context says what fits there",
        arguments: [
            ("|", "'' verbs, names, functions"),
            ("ro|", "'ro' verbs, names, functions"),
            ("x = 1\nsc|ore", "'sc' verbs, names, functions"),
            ("ls; lo|", "'lo' verbs, names, functions"),
            ("x = |", "'' verbs, names, functions"),
            ("time ro|", "'ro' verbs, names, functions"),
            ("load |", "'' model/queries"),
            ("load mo|", "'mo' model/queries"),
            ("load model |", "'' default, path, dtype=/as="),
            ("load model de|", "'de' default, path, dtype=/as="),
            ("load model ../mo|", "'../mo' default, path, dtype=/as="),
            ("load model \"my mo|", "'my mo' path"),
            ("load model default |", "'' dtype=/as="),
            ("load model default dtype=|", "'' float32/bfloat16"),
            ("load model default dtype=bf|", "'bf' float32/bfloat16"),
            ("load model default dtype=bfloat16 |", "'' as="),
            ("rollout |", "'' names, functions, temperature=/top_p=/max_tokens="),
            ("rollout qu|", "'qu' names, functions, temperature=/top_p=/max_tokens="),
            ("rollout queries[0:8] te|", "'te' temperature=/top_p=/max_tokens="),
            ("rollout temperature=0.7 m|", "'m' names, functions, top_p=/max_tokens="),
            ("rollout temperature=|", "'' names of number, functions"),
            ("rollout queries[n|", "'n' items of queries, names, functions"),
            ("mine = score per_token=t|", "'t' true/false, names, functions"),
            ("train |", "'' tokenizer, epochs="),
            ("export logprobs |", "'' path"),
            ("export logprobs out/|", "'out/' path"),
            ("rm a b|", "'b' names"),
            ("judge judge=m|", "'m' measured/likelihood, path"),
            ("show rollouts[0].|", "'' fields of rollouts[0]"),
            ("show rollouts[0].re|", "'re' fields of rollouts[0]"),
            ("x = 1 + model.con|", "'con' fields of model"),
            ("mean(lo|", "'lo' axis=, names, functions"),
            ("mean(x, ax|", "'ax' axis=, names, functions"),
            ("[1, lo|", "'lo' names, functions"),
            ("x = [1,\n lo|", "'lo' names, functions"),
            ("not lo|", "'lo' names, functions"),
            ("# ro|", "'' "),
            ("ls # |", "'' "),
            ("ls\n  |", "'' verbs, names, functions"),
            ("ls; |", "'' verbs, names, functions"),
            ("ls |", "'' "),
            ("x = \"ro|", "'' "),
            ("rollout)|", "'' "),
            ("世|", "'世' verbs, names, functions"),
        ])
    func contexts(marked: String, expected: String) {
        #expect(show(context(marked)) == expected)
    }

    @Test("the grammar's own candidates start with what was typed and say what they are")
    func candidates() {
        func offered(_ marked: String) -> [CompletionItem] {
            grammar.candidates(for: context(marked))
        }
        #expect(offered("rol|") == [CompletionItem("rollout", .verb, "samples responses")])
        #expect(
            offered("rollout te|") == [
                CompletionItem("temperature=", .key, "0 is greedy", isWhole: false)
            ])
        #expect(offered("score normalize=s|") == [CompletionItem("sum", .word)])
        #expect(offered("load m|") == [CompletionItem("model", .word, "reads a model")])
        #expect(
            offered("x = me|")
                == [CompletionItem("mean(", .function, "the average", isWhole: false)])
        #expect(offered("ti|").map(\.text) == ["time"])
        #expect(offered("rollout m|").map(\.text) == ["max_tokens="])
        #expect(offered("rollout me|").map(\.text) == ["mean("])
    }

    @Test("completion says which text it replaces")
    func spans() {
        let source = "load queries ../shared/da more"
        let found = grammar.completionContext(for: source, at: 25)
        #expect(found.span.text(in: source) == "../shared/da")
        #expect(found.quote == nil)
        #expect(context("load queries 'a b|").quote == "'")
        #expect(grammar.completionContext(for: "ab", at: 99).prefix == "ab")
    }

    @Test("a path that cannot stand bare is put in quotes, and a folder's quotes stay open")
    func paths() {
        let bare = context("load queries ../|")
        #expect(bare.insertion(path: "../data", isFolder: false) == "../data")
        #expect(bare.insertion(path: "../my data", isFolder: false) == "\"../my data\"")
        #expect(bare.insertion(path: "../my data/", isFolder: true) == "\"../my data/")
        let open = context("load queries \"../my|")
        #expect(open.insertion(path: "../my data/", isFolder: true) == "../my data/")
        #expect(open.insertion(path: "../my \"x\"", isFolder: false) == "../my \\\"x\\\"\"")
    }
}
