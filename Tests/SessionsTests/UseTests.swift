import Testing

@testable import Commands
@testable import Rendering
@testable import Sessions
@testable import Values

/// Faults that people met at work, each with the result that they expected.
struct UseTests {
    @Test func `a name on the left of tokenize is bound`() throws {
        let bench = try Workbench()
        try bench.output("load model default")
        let tokens = try bench.output("t = tokenize \"Summary: my sister\" special=false").value
        let bound = try bench.session.value(of: "t")
        #expect(try #require(bound).equals(try #require(tokens)))
        try bench.output("both = tokenize ([\"a\", \"b\"])")
        #expect(try bench.output("len(both)").value?.asInteger == 2)
    }

    @Test(arguments: ["scroe": "score", "juge": "judge", "rolout": "rollout"])
    func `a mistyped verb alone is recognized`(typed: String, meant: String) throws {
        #expect(try Workbench().complaint(typed).contains("did you mean `\(meant)`?"))
    }

    @Test func `usual short names of number types are accepted`() throws {
        let bench = try Workbench()
        for name in ["f32", "bf16", "fp16"] {
            try bench.output("load model default dtype=\(name);")
        }
        let model = try #require(try bench.session.value(of: "model")?.object(ModelObject.self))
        #expect(model.model.weightFormat == .float16)
    }

    @Test func `settings of the display outlast the terminal's own`() throws {
        let bench = try Workbench()
        try bench.output("set color=none; set width=50")
        bench.session.appearance = Appearance(width: 100, color: .full)
        #expect(bench.session.appearance.color == .none)
        #expect(bench.session.appearance.width == 50)
    }

    @Test func `whole numbers beyond 2^53 are refused, and those below are shown whole`() throws {
        let bench = try Workbench()
        #expect(bench.complaint("9007199254740993").contains("exact up to 2^53"))
        #expect(try bench.output("9007199254740992 - 1").text.plain == "9007199254740991")
    }

    @Test(arguments: ["ls", "history", "describe x", "compare x x", "set", "seed", "undo"])
    func `every verb has data for programs`(verb: String) throws {
        let bench = try Workbench()
        try bench.output("x = 1")
        let outcome = try #require(bench.run(verb).last)
        #expect(!outcome.json.contains("\"value\":null"))
    }

    @Test func `a shown model asks for no norm of its weights`() throws {
        let bench = try Workbench()
        let outcome = try #require(bench.run("load model default").last)
        #expect(outcome.json.contains("\"parameters\":"))
        #expect(!outcome.json.contains("\"norm\":"))
    }

    @Test func `help prints the defaults that verbs start from`() throws {
        let bench = try Workbench()
        bench.session.appearance.width = 200
        let help = try bench.output("help train").text.plain
        #expect(
            help.contains(
                "size of a step; default: 0.0002 for tiny, 0.00035 for adapters, 5e-07 for paper"))
        #expect(try bench.output("help generate").text.plain.contains("in tokens; default: 64"))
    }

    @Test func `top_p is refused in one place, before anything is sampled`() throws {
        #expect(
            try Workbench().complaint("load model default; generate \"x\" top_p=0")
                .contains("`top_p` must be above 0 and at most 1, not 0"))
    }

    @Test func `a missing tokenizer is to be loaded`() throws {
        #expect(
            try Workbench().complaint("tokenizer.vocabulary")
                .contains("make it first: load tokenizer PATH"))
    }

    @Test func `a foreign model file is refused, not made a folder`() throws {
        let bench = try Workbench()
        try bench.output("load model default;")
        #expect(bench.complaint("export model m.gguf").contains(".gguf is not written"))
    }

    @Test func `a table never cuts a number`() throws {
        var table = Table([
            .init("a", isNumeric: true), .init("b", isNumeric: true), .init("c", isNumeric: true),
        ])
        table.append(["1.2345e-05", "-1.621e-10", "3.14159e+20"])
        let plain = table.rendered(Appearance(width: 24)).plain
        #expect(plain.contains("-1.621e-10"))
        #expect(!plain.contains("…"))
    }

    @Test func `a parameter that no script takes is found`() {
        let script = ScriptParameters(
            of: Session.parse("lr = 1e-4\nx = 1 + 0\nupdate learning_rate=lr"))
        #expect(script.takes("lr"))
        #expect(!script.takes("learning_rate"))
        #expect(!script.takes("x"))
        #expect(
            ScriptParameters.sentence("l", [script])
                == "-p l: the script has no `l`; did you mean `lr`?")
        #expect(
            ScriptParameters.sentence("momentum", [script])
                == "-p momentum: the script has no `momentum`; it has `lr`")
        #expect(ScriptParameters.sentence("x", [script]).contains("the script computes `x`"))
    }

    @Test func `an echoed statement is as it was written`() throws {
        let bench = try Workbench()
        var echoed: [String] = []
        bench.session.evaluate(Session.parse("# why\nx = 1; # hidden\ny = 2")) { event in
            if case .started(let statement) = event { echoed.append(statement.source) }
        }
        #expect(echoed == ["# why\nx = 1; # hidden", "y = 2"])
    }

    @Test func `count is honored by every list that is shown`() throws {
        let bench = try Workbench()
        try bench.output(
            """
            load model default; load principles trained; load queries summaries count=20
            compose count=2 principles_each=2
            """)
        /// Lines that begin with a number, also in brackets.
        func items(_ statement: String) throws -> Int {
            try bench.text(statement).split(separator: "\n").count {
                $0.contains(#/^ *\[?\d+\]? /#)
            }
        }
        #expect(try items("show queries count=20") == 21)  // with the title, "20 queries"
        #expect(try items("show queries count=3") == 4)
        #expect(try items("show principles count=3") == 3)
        #expect(try items("show constitutions count=4") == 8)
    }

    @Test func `describe shows values, then what they are`() throws {
        let bench = try Workbench()
        let output = try bench.output("describe tensor([[1, 2], [3, 4]])")
        let mean = output.text.plain.split(separator: "\n").first { $0.hasPrefix("mean ") }
        #expect(mean?.split(separator: " ") == ["mean", "2.5", "arithmetic", "mean"])
        #expect(output.json?().contains(#""name":"mean","value":2.5,"meaning""#) == true)
        try bench.output("load model default")
        let model = try bench.text("describe model")
        #expect(model.contains("\nlayers           5 "))
        // The norm reads every weight; of a large checkpoint that takes minutes.
        #expect(
            model.split(separator: "\n").contains {
                $0.hasPrefix("norm ") && $0.contains("  root of")
            })
    }

    @Test func `help explains every meaning of a word`() throws {
        let bench = try Workbench()
        let log = try bench.text("help log")
        #expect(log.contains("natural logarithm") && log.contains("the names of the columns"))
        for (name, command) in [("help functions", 80), ("help", 40)] {
            bench.session.appearance = Appearance(width: command)
            let text = try bench.text(name)
            #expect(!text.contains("…\n"), "\(name)")
            #expect(text.split(separator: "\n").allSatisfy { $0.count <= command })
        }
    }

    @Test func `a log has the names that other values have, those of version 0_1 too`() throws {
        let bench = try Workbench()
        try bench.output(
            """
            load model default; load principles trained; load queries summaries count=2
            compose count=2 principles_each=2; rollout; train steps=1
            """)
        #expect(
            try bench.text("log.columns[1:5]")
                == #"["loss", "bound", "row_accuracy", "column_accuracy"]"#)
        bench.session.appearance = Appearance(width: 60)
        let narrow = try bench.text("log")
        #expect(narrow.hasSuffix("\nnot shown: kl, grad_norm, learning_rate, tokens"))
        let old = LogObject(title: "train", rows: [["row_acc": .number(0.5), "rate": .number(1)]])
        let restored = try LogObject.restored(old.stored())
        #expect(
            restored.rows.map(Value.record).map(\.printedJSON) == [
                #"{"row_accuracy":0.5,"learning_rate":1}"#
            ])
    }

    @Test func `old values on disk are noted when they grow, and gc frees them`() throws {
        let bench = try Workbench(access: .readWrite)
        #expect(bench.session.workspaceSentence == "workspace test.samiws: new")
        bench.session.storageWatch.limit = 4_000_000
        var notes: [String] = []
        for _ in 0..<30 {
            notes += try bench.output("x = normal([100000])").notes
        }
        #expect(notes.count == 2, "\(notes)")
        #expect(notes.allSatisfy { $0.hasPrefix("old values, for undo, take ") })
        let listed = try bench.text("ls")
        #expect(listed.contains("old values, for undo, take 11."))
        #expect(listed.contains("; `gc` would free 3.") && listed.hasSuffix(" and keep 20 steps"))
        #expect(try bench.text("gc").hasPrefix("deleted 9 objects, 3."))
        #expect(try bench.text("ls").hasSuffix("take 8.05 MB; `gc N` keeps only N steps"))
        try bench.output("gc 5")
        #expect(try bench.text("ls").contains("take 2.01 MB"))
        bench.session.close()
        let again = try bench.reopened()
        defer { again.close() }
        #expect(again.workspaceSentence == "workspace test.samiws: 1 value from 30 statements")
        let ephemeral = try Workbench()
        #expect(ephemeral.session.workspaceSentence == "no workspace: nothing is kept")
    }

    @Test func `a judge that can judge nothing says so before anything is sampled`() throws {
        let bench = try Workbench()
        try bench.write("posts.jsonl", #"{"post": "I lost my keys."}"# + "\n")
        try bench.output(
            "load model default; base = model; load queries posts.jsonl; load principles trained")
        var (reports, complaint) = (0, "")
        bench.session.evaluate(Session.parse("judge")) { event in
            if case .progress = event { reports += 1 }
            if case .finished(let outcome) = event, case .failure(let failure) = outcome.result {
                complaint = failure.rendered()
            }
        }
        #expect(complaint.contains("the measured judge knows the shipped world and principles"))
        #expect(reports == 0)
    }

    @Test func `a message keeps the dot of a user's path, and names the kind of a wrong item`()
        throws
    {
        let bench = try Workbench()
        #expect(bench.complaint("load model default.").contains("there is no folder default.\n"))
        #expect(
            bench.complaint("sort([[2], {\"b\": 1}])")
                .contains("not a list that contains a record"))
    }
}
