import Testing

@testable import Commands
@testable import Sessions
@testable import ShippedWorld
@testable import Values

@Suite(.enabled(if: Workbench.hasShippedModel, "models/tiny is not here"))
struct FinetuneTests {
    private static let setup = """
        load model default
        load principles held_out about=answers
        load queries answers count=12 first=500
        compose principles_each=2
        demonstrations = load demonstrations
        """

    @Test func `the careful author follows every principle, the same in every run`() throws {
        let bench = try Workbench(seed: 2)
        try bench.output(Self.setup)
        let object = try #require(
            try bench.output("demonstrations").value?.object(RolloutsObject.self))
        #expect(object.rollouts.groups.count == 12)
        let measure = WorldMeasure()
        for (group, query) in zip(object.rollouts.groups, object.rollouts.queries) {
            for response in group.responses {
                let text = try #require(response.text)
                for slot in group.constitutions[response.constitution].slots {
                    #expect(
                        measure.adherence(of: text, to: slot.text, for: query)
                            == .follows)
                }
            }
        }
        let again = try Workbench(seed: 2)
        try again.output(Self.setup)
        #expect(
            try again.output("demonstrations").value?.object(RolloutsObject.self)?.rollouts
                == object.rollouts)
        let bare = try Workbench()
        try bare.output(
            """
            load model default
            queries = [{"text": "Hello?"}]
            principle "Be brief." not "Be long."
            compose principles_each=1
            """)
        #expect(
            bare.complaint("load demonstrations").contains(
                "the careful author knows only queries of the shipped world"))
    }

    @Test func `finetuning lowers the loss of demonstrations and compares nothing`() throws {
        let bench = try Workbench(seed: 2)
        try bench.output(Self.setup)
        try bench.output(
            "tuned, course = finetune demonstrations epochs=3 accumulate=8 learning_rate=5e-4")
        let columns = try bench.text("course.columns")
        #expect(!columns.contains("bound") && columns.contains("loss"))
        #expect(try bench.output("course.title").value?.asText == "finetune")
        #expect(try bench.text("tuned").contains("default, finetuned"))
        // Each demonstration with its end under its own constitution, under both models.
        let own = "mean([s[0, 0] + s[1, 1] for s in logprobs])"
        try bench.output("score demonstrations model=base score_end=true")
        let before = try #require(try bench.output(own).value?.asNumber)
        try bench.output("score demonstrations model=tuned score_end=true")
        let after = try #require(try bench.output(own).value?.asNumber)
        #expect(after > before)
        // `model` and `log` are as before.
        #expect(try bench.text("model").contains("default\n"))
    }

    @Test func `one step by hand is a step of finetune`() throws {
        let bench = try Workbench(seed: 2)
        try bench.output(Self.setup)
        try bench.output(
            """
            tuned = finetune demonstrations steps=1 accumulate=24 learning_rate=1e-3 score_end=false schedule=constant clip=0
            backward demonstrations objective=likelihood
            model = update optimizer=adamw learning_rate=1e-3 clip=0
            """)
        // The order of the sums differs in the last bits.
        let share = try bench.output("compare tuned model").value?.field("share").asNumber
        #expect(try #require(share) < 1e-3)
        #expect(try bench.output("gradients.objective").value?.asText == "likelihood")
    }

    @Test func `rows and columns alone are objectives of train and iterate`() throws {
        let bench = try Workbench(seed: 2)
        try bench.output(Self.setup)
        try bench.output("score demonstrations; contrast")
        let rows = try #require(try bench.output("loss.row").value)
        try bench.output("train demonstrations steps=1 accumulate=12 objective=rows beta=0")
        let first = try #require(try bench.output("log[0].loss").value?.asNumber)
        #expect(abs(first - (rows.asNumber ?? .nan)) < 1e-5)
        try bench.output("iterate 1 queries=8 steps=1 accumulate=4 objective=columns")
        #expect(bench.complaint("train objective=both").contains("contrast"))
        #expect(bench.complaint("finetune objective=rows").contains("objective"))
    }

    @Test func `verdicts of two seeds are one rate`() throws {
        let bench = try Workbench(seed: 2)
        try bench.output(
            """
            load model default
            load principles trained about=summaries
            load queries summaries split=test count=10
            a = judge model=base against=base seed=1 principles_each=2
            load queries summaries split=test count=6 first=10
            b = judge model=base against=base seed=2 principles_each=2
            c = a + b
            """)
        #expect(try bench.output("c.count").value?.asNumber == 16)
        #expect(try bench.output("c.ties").value?.asNumber == 16)
        #expect(
            try bench.output("sum([p.count for p in c.principles])").value?.asNumber
                == bench.output(
                    "sum([p.count for p in a.principles]) + sum([p.count for p in b.principles])"
                ).value?.asNumber)
        try bench.output("d = judge model=base against=base judge=likelihood principles_each=2")
        #expect(bench.complaint("a + d").contains("verdicts of different judges"))
        #expect(bench.complaint("a + 1").contains("+"))
    }
}
