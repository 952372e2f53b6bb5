import Foundation
import Testing

@testable import Commands
@testable import Rendering
@testable import Sessions
@testable import Values

/// Records typed at the prompt, where a file's records are accepted.
@Suite struct TypedRecordTests {
    private let world = """
        queries = [{"id": "a", "post": "one"}, {"id": 7, "question": "two?"}, "three"]
        """

    @Test func `compose takes principles and constitutions as they are typed`() throws {
        let bench = try Workbench()
        try bench.output(world)
        try bench.output(
            "compose [{\"principle\": \"Be brief.\", \"antithesis\": \"Be long.\"}] count=2")
        #expect(try bench.text("sort(constitutions[0].constitutions)").contains("1. Be brief."))
        try bench.output("compose {\"principles\": [\"Be kind.\"], \"antitheses\": [\"Be rude.\"]}")
        #expect(try bench.text("constitutions[1].constitutions").contains("Be rude."))
        try bench.output("compose [{\"positive\": \"1. Rhyme.\", \"negative\": \"1. Do not.\"}]")
        #expect(try bench.text("constitutions[2].query") == "2")
        #expect(try bench.text("constitutions[1].query") == "7")
        #expect(try bench.text("constitutions.texts[0]") == "[\"1. Rhyme.\", \"1. Do not.\"]")
    }

    @Test func `a faulty record shows the form`() throws {
        let bench = try Workbench()
        try bench.output(world)
        #expect(
            bench.complaint("compose [{\"principle\": \"Be brief.\"}]") == """
                error: item 0 of principles: "principle" and "antithesis" are needed, both texts
                  compose [{"principle": "Be brief."}]
                          ^~~~~~~~~~~~~~~~~~~~~~~~~~~~
                  the form is {"principle": "Be brief.", "antithesis": "Be long."}
                """)
        #expect(
            bench.complaint("compose 3") == """
                error: `from` must be principles, not a number
                  compose 3
                          ^
                  or a list of records like {"principle": "Be brief.", "antithesis": "Be long."}
                """)
        #expect(
            bench.complaint("compose [{\"positive\": \"1. A\"}]").contains(
                "error: item 0 of constitutions: `positive` is there, and `negative` is missing\n"))
        #expect(
            bench.complaint("compose queries=[{\"pots\": \"x\"}]").contains(
                "error: item 0 of queries: `post`, `question` or `text` is missing; `pots` may be "
                    + "meant for `post`\n"))
    }

    @Test(.enabled(if: Workbench.hasShippedModel))
    func `rollouts that are typed are scored like those of a file`() throws {
        let bench = try Workbench()
        try bench.output(
            """
            load model default; load queries summaries count=2
            compose [{"principle": "Be brief.", "antithesis": "Be long."}]
            """)
        let records = """
            {"query": 0, "constitution": 0, "response": "A short one."}, \
            {"query": 0, "constitution": 1, "response": "A response of more words."}
            """
        // With `prompt` as without: the prompts are those of the workspace.
        try bench.output("rollouts = [\(records)]; a = score")
        try bench.output("b = score [\(records)]")
        #expect(try bench.text("all(a == b)") == "true")
        #expect(try bench.text("a.shape") == "[1, 2, 2]")
        for (name, text) in [("one", "A short one."), ("two", "A response of more words.")] {
            try bench.write(
                "\(name).jsonl", "{\"id\": \"summaries-train-0\", \"response\": \"\(text)\"}\n")
        }
        try bench.output(
            "load responses [\"one.jsonl\", \"two.jsonl\"] queries=queries[0:1]; c = score")
        #expect(try bench.text("all(a == c)") == "true")
    }

    @Test func `rollouts without their prompts say what they need`() throws {
        let bench = try Workbench()
        try bench.output("new model layers=1 width=32 vocabulary=300 context=64")
        #expect(
            bench.complaint("score [{\"query\": 0, \"constitution\": 0, \"response\": \"r\"}]")
                == """
                error: item 0 of rollouts: `prompt` is missing; without it, prompts are made of \
                `queries` and `constitutions`, and the workspace does not have both
                  score [{"query": 0, "constitution": 0, "response": "r"}]
                        ^~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~
                  the form is {"query": "a", "constitution": 0, "response": "A response."}
                """)
        try bench.output(
            "queries = [\"one\"]; constitutions = [{\"positive\": \"1. A\", \"negative\": \"1. B\"}]"
        )
        for (record, problem) in [
            (
                "{\"query\": \"x\", \"constitution\": 0, \"response\": \"r\"}",
                "no query of `queries` is called \"x\""
            ),
            (
                "{\"query\": 0, \"constitution\": 2, \"response\": \"r\"}",
                "there is no constitution 2: a query has 2, 0 to 1"
            ),
            ("{\"query\": 0, \"constitution\": 0}", "`response` is missing"),
            ("{\"query\": 0, \"response\": \"r\"}", "`constitution` is missing"),
            ("{\"constitution\": 0, \"response\": \"r\"}", "`query` is missing"),
        ] {
            #expect(
                bench.complaint("score [\(record)]").contains(
                    "error: item 0 of rollouts: \(problem)\n"))
        }
    }

    @Test func `a list of records is shown as a table`() throws {
        let bench = try Workbench()
        #expect(
            try bench.text("[{\"a\": 1.5, \"b\": \"x\"}, {\"a\": 20, \"b\": \"y\", \"c\": null}]")
                == """
                list of 2 records
                     a  b  c
                0  1.5  x
                1   20  y
                """)
    }

    @Test func `columns that do not fit are named, however many there are`() throws {
        let bench = try Workbench()
        bench.session.appearance = Appearance(width: 20)
        #expect(
            try bench.text("[{\"first\": 123456, \"second\": 1234567, \"third\": 12345}]") == """
                list of 1 record
                    first   second
                0  123456  1234567
                not shown: third
                """)
        let names = (0..<50_000).map { "c\($0)" }.joined(separator: ",")
        try bench.write("wide.csv", names + "\n" + names + "\n")
        #expect(try bench.text("load table wide.csv").contains("and 49,9".replacing(",", with: "")))
    }
}
