import Foundation
import Testing

@testable import Commands
@testable import Rendering
@testable import Sessions
@testable import Values

/// Tables for other programs: one row an item, with ids.
@Suite struct TableExportTests {
    private func lines(_ bench: Workbench, _ name: String) throws -> [String] {
        String(decoding: try bench.read(name), as: UTF8.self)
            .split(separator: "\n").map(String.init)
    }

    @Test func `scores have one row for each response under each constitution`() throws {
        let bench = try Workbench()
        try bench.output(
            "logprobs = tensor([[[-1, -2], [-3, -4]], [[-5, -6], [-7, -8]]]); contrast logprobs")
        try bench.output("export loss loss.csv")
        let loss = try lines(bench, "loss.csv")
        #expect(loss[0] == "query,value,row,column,row_accuracy,column_accuracy,bound")
        #expect(loss.count == 3 && loss[1].hasPrefix("\"0\","))
    }

    @Test func `a record of lists of one length becomes columns`() throws {
        let bench = try Workbench()
        try bench.output(
            "export {\"a\": [1, 2], \"b\": [\"x\", \"1\"], \"c\": tensor([0.1, 2])} r.csv")
        #expect(try lines(bench, "r.csv") == ["a,b,c", "1,x,0.1", "2,\"1\",2"])
        try bench.output("export {\"a\": 1, \"b\": \"x\"} r.csv")
        #expect(try lines(bench, "r.csv") == ["a,b", "1,x"])
        #expect(
            bench.complaint("export {\"a\": 1, \"w\": ones(30, 30)} r.csv") == """
                error: a record becomes columns in .csv if all its fields are lists of one length, \
                and `w` is a tensor that fits no column
                  export {"a": 1, "w": ones(30, 30)} r.csv
                                                     ^~~~~
                  use .json, or .safetensors for tensors
                """)
    }

    @Test func `Parquet is refused with what to use`() throws {
        let bench = try Workbench()
        #expect(
            bench.complaint("export [1] x.parquet") == """
                error: Parquet is not written
                  export [1] x.parquet
                             ^~~~~~~~~
                  use .csv or .jsonl, which pandas, Polars and DuckDB read
                """)
    }

    @Test(.enabled(if: Workbench.hasShippedModel))
    func `all that a step of the method makes is a table or says what to do`() throws {
        let bench = try Workbench()
        try bench.output(
            """
            load model default; load principles trained; load queries summaries count=2
            compose count=2 principles_each=2; rollout; score per_token=true
            contrast; backward
            """)
        try bench.output("export logprobs l.csv; export logprobs l.jsonl")
        let scores = try lines(bench, "l.csv")
        #expect(scores[0] == "query,constitution,response,logprob,tokens")
        #expect(scores.count == 9 && scores[1].hasPrefix("summaries-train-0,0,0,-"))
        try bench.output("t = load table l.csv; u = load table l.jsonl")
        #expect(try bench.text("t == u") == "true")
        #expect(try bench.text("abs(t[2].logprob - logprobs[0, 1, 0]) < 1e-6") == "true")

        try bench.output("export logprobs.per_token t.csv")
        let tokens = try lines(bench, "t.csv")
        #expect(tokens[0] == "query,constitution,response,position,id,token,logprob")
        try bench.output("export rollouts r.csv")
        #expect(try lines(bench, "r.csv")[0] == "query,constitution,prompt,response")

        for format in ["csv", "json", "jsonl"] {
            try bench.output("export rollouts r.\(format); again = load rollouts r.\(format)")
            // The separator is a part of the response now.
            #expect(try bench.text("len(again) == len(rollouts)") == "true")
            #expect(
                try bench.text("again[0][1].response == \" \" + rollouts[0][1].response") == "true")
            #expect(try bench.text("again.prompt == rollouts.prompt") == "true")
            #expect(
                bench.complaint("export gradients g.\(format)") == """
                    error: gradients are a tensor for each parameter, and .\(format) cannot hold \
                    them well
                      export gradients g.\(format)
                                       ^~\(String(repeating: "~", count: format.count))
                      use .safetensors or .h5; `export gradients.norms FILE.csv` has their sizes
                    """)
        }
        try bench.output("export gradients g.safetensors; g = load tensor g.safetensors")
        #expect(try bench.text("g == gradients.tensors") == "true")

        try bench.output("export model.tokenizer tokenizer.json; load tokenizer tokenizer.json")
        #expect(try bench.text("tokenizer.tokens == model.tokenizer.tokens") == "true")
        for format in ["gguf", "npz", "csv"] {
            #expect(
                bench.complaint("export model m.\(format)").contains(
                    "error: a model becomes a folder in Hugging Face form, and .\(format) is not "
                        + "written\n"))
        }
        #expect(
            try bench.output("export model m.json").notes == [
                "this is a description; a path without an extension writes the model"
            ])
        try bench.output("export model m.v2; again = load model m.v2")
        #expect(try bench.text("again.norm == model.norm") == "true")
    }
}
