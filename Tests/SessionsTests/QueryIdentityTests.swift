import Alignment
import Foundation
import HDF5Objects
import Testing
import Workspaces

@testable import Commands
@testable import Rendering
@testable import Sessions
@testable import Values

/// A query is known by its id.
@Suite struct QueryIdentityTests {
    @Test func `a query without an id gets its place, or a free id beside those given`() throws {
        let bench = try Workbench()
        try bench.write(
            "queries.jsonl",
            """
            {"text": "first"}
            {"id": 2, "text": "second"}
            {"text": "third"}
            """)
        try bench.output("load queries queries.jsonl")
        #expect(try bench.text("queries.id") == #"["0", "2", "2-2"]"#)
    }

    @Test func `a duplicate id is refused with both lines`() throws {
        let bench = try Workbench()
        try bench.write(
            "queries.jsonl",
            #"""
            {"id": "t3_x", "post": "The kettle is loud."}
            {"id": "t3_y", "post": "The train is late."}
            {"id": "t3_x", "post": "The lantern is dim."}
            """#)
        #expect(
            bench.complaint("load queries queries.jsonl").hasPrefix(
                "error: queries.jsonl, line 3: the id t3_x is that of line 1, too; responses are "
                    + "told apart by it\n"))
        // Where only one of them is taken, nothing is in doubt.
        #expect(
            try bench.text("load queries queries.jsonl count=2; queries.ids")
                .contains("t3_y"))
        #expect(
            bench.complaint("load principles trained; compose queries=[queries[0], queries[0]]")
                .contains("two of the queries have the id t3_x"))
    }

    @Test func `ids that only look the same are two`() throws {
        let bench = try Workbench()
        try bench.write(
            "queries.jsonl",
            "{\"id\": \"caf\u{E9}\", \"text\": \"a\"}\n{\"id\": \"cafe\u{301}\", \"text\": \"b\"}\n"
        )
        #expect(try bench.text("load queries queries.jsonl; queries.count") == "2")
    }

    @Test func `null is no text`() throws {
        let bench = try Workbench()
        try bench.write(
            "queries.jsonl", #"{"id": null, "post": null, "question": null, "text": "hello there"}"#
        )
        #expect(
            try bench.text("load queries queries.jsonl; queries[0].text") == "hello there")
        #expect(try bench.text("queries[0].form") == "text")
    }

    private let rollouts = #"""
        {"query": "007", "constitution": 0, "prompt": "a:", "response": "x"}
        {"query": "007", "constitution": 1, "prompt": "b:", "response": "y"}
        {"query": "7", "constitution": 0, "prompt": "c:", "response": "x"}
        {"query": "7", "constitution": 1, "prompt": "d:", "response": "y"}
        {"query": "-0", "constitution": 0, "prompt": "e:", "response": "x"}
        {"query": "-0", "constitution": 1, "prompt": "f:", "response": "y"}
        {"query": "9007199254740993", "constitution": 0, "prompt": "g:", "response": "x"}
        {"query": "9007199254740993", "constitution": 1, "prompt": "h:", "response": "y"}

        """#

    @Test func `ids that look like numbers stay the texts that they are`() throws {
        let bench = try Workbench()
        try bench.write("rollouts.jsonl", rollouts)
        try bench.output("load rollouts rollouts.jsonl; export rollouts out.jsonl")
        let ids = try bench.read("out.jsonl").split(separator: UInt8(ascii: "\n")).map { line in
            try #require(
                try JSONSerialization.jsonObject(with: line) as? [String: Any])["query"] as? String
        }
        #expect(
            ids == ["007", "007", "7", "7", "-0", "-0", "9007199254740993", "9007199254740993"])
        #expect(try bench.text("load rollouts out.jsonl; rollouts.queries").contains("\"007\""))
        #expect(try bench.text("len(rollouts.queries)") == "4")
    }

    @Test func `ids that are large numbers keep all their digits`() throws {
        let bench = try Workbench()
        let lines = ["9007199254740992", "9007199254740993"].flatMap { id in
            (0..<2).map {
                "{\"query\": \(id), \"constitution\": \($0), \"prompt\": \"\(id) \($0):\", "
                    + "\"response\": \"r\($0)\"}\n"
            }
        }
        try bench.write("rollouts.jsonl", lines.joined())
        let ids = try bench.text("load rollouts rollouts.jsonl; rollouts.queries")
        #expect(ids.contains("\"9007199254740992\"") && ids.contains("\"9007199254740993\""))
    }

    @Test func `prompts that only look the same are refused`() throws {
        let bench = try Workbench()
        let lines = ["caf\u{E9}", "cafe\u{301}"].map {
            "{\"query\": 0, \"constitution\": 0, \"prompt\": \"\($0):\", \"response\": \"x\"}\n"
        }
        try bench.write("rollouts.jsonl", lines.joined())
        #expect(
            bench.complaint("load rollouts rollouts.jsonl").contains(
                "line 2: the prompt differs from that of line 1 for the same query and "
                    + "constitution"))
    }

    @Test func `a query with the same response twice is left out, with a note`() throws {
        let bench = try Workbench()
        let same = #"""
            {"query": "same", "constitution": 0, "prompt": "a:", "response": "x"}
            {"query": "same", "constitution": 1, "prompt": "b:", "response": "x"}

            """#
        try bench.write("rollouts.jsonl", rollouts + same)
        #expect(
            try bench.output("load rollouts rollouts.jsonl").notes == [
                "1 query left out: 1 with identical responses (same)"
            ])
        try bench.write("same.jsonl", same)
        let complaint = bench.complaint("load rollouts same.jsonl")
        #expect(
            complaint.contains(
                "no query is left to score: 1 query left out: 1 with identical responses (same)"))
    }

    @Test(.enabled(if: Workbench.hasShippedModel))
    func `constitutions go with their queries after the list is loaded in another order`() throws {
        let bench = try Workbench()
        let posts = [("kettle", "The kettle is loud."), ("lantern", "The lantern is dim.")]
        func queries(_ posts: [(String, String)]) -> String {
            posts.map { "{\"id\": \"\($0.0)\", \"post\": \"\($0.1)\"}\n" }.joined()
        }
        try bench.write("one.jsonl", queries(posts))
        try bench.write("other.jsonl", queries(posts.reversed()))
        try bench.output(
            "load model default; load principles trained; load queries one.jsonl; compose; "
                + "load queries other.jsonl")
        for (name, word) in [("a", "A"), ("b", "B")] {
            try bench.write(
                "\(name).jsonl",
                posts.map { "{\"id\": \"\($0.0)\", \"response\": \"\(word) \($0.0).\"}\n" }
                    .joined())
        }
        try bench.output(#"load responses ["a.jsonl", "b.jsonl"]"#)
        let object = try #require(
            try bench.session.value(of: "rollouts")?.object(RolloutsObject.self))
        let composed = try #require(
            try bench.session.value(of: "constitutions")?.object(ConstitutionsObject.self)?.groups)
        #expect(object.rollouts.groups.map(\.id) == ["lantern", "kettle"])
        for group in object.rollouts.groups {
            let own = try #require(composed.first { $0.query == group.id })
            #expect(group.constitutions == own.constitutions)
            #expect(group.responses.allSatisfy { $0.text?.hasSuffix(" \(group.id).") == true })
            guard case .text(let prompt) = group.prompts[0] else { continue }
            #expect(prompt.contains("POST: The \(group.id) is"))
        }
        let complaint = bench.complaint(
            #"load queries summaries count=1; load responses ["a.jsonl", "b.jsonl"]"#)
        #expect(
            complaint.contains(
                "query summaries-train-0 is not among those that constitutions were composed for"))
    }

    @Test func `constitutions of an older workspace, by place, find their queries`() throws {
        let bench = try Workbench(access: .readWrite)
        try bench.output(
            "load principles trained; load queries summaries first=5 count=2; compose")
        let workspace = bench.session.workspace
        let composed = try #require(
            try bench.session.value(of: "constitutions")?.object(ConstitutionsObject.self))
        // As versions before this one stored them: the place in the list instead of the id.
        guard case .record(var content) = try composed.stored(),
            case .record(var groups)? = content["groups"],
            case .list(let list)? = groups["_0"]
        else {
            Issue.record("groups are stored in another form")
            return
        }
        groups["_0"] = .list(
            list.enumerated().map { place, group in
                guard case .record(var record) = group else { return group }
                record["query"] = .number(Double(place))
                return .record(record)
            })
        content["groups"] = .record(groups)
        let sequence = try workspace.begin(source: "compose", seed: "0")
        try workspace.commit(
            sequence,
            bind: [
                (
                    "constitutions",
                    .stored(StoredObject(kind: ConstitutionsObject.kind, value: .record(content)))
                )
            ], inputs: ["queries"], seconds: 0)
        bench.session.close()
        let session = try bench.reopened()
        defer { session.close() }
        // Another list is bound by now; the journal still knows the one they were composed for.
        session.outcomes(of: "load queries summaries count=1")
        let restored = try #require(
            try session.value(of: "constitutions")?.object(ConstitutionsObject.self)?.groups)
        #expect(restored.map(\.query) == ["summaries-train-5", "summaries-train-6"])
        #expect(restored == composed.groups)
    }
}
