import Foundation
import Synchronization
import Testing

@testable import Commands
@testable import Rendering
@testable import Sessions
@testable import Values

/// Values changed by hand: in an editor, and part by part.
@Suite struct EditTests {
    /// An editor that writes one text after the other into the file it is given.
    private final class Pretended: Sendable {
        private let left: Mutex<[String]>
        let seen = Mutex<[(path: String, text: String)]>([])
        let complaints = Mutex<[String]>([])

        init(_ texts: String...) { left = Mutex(texts) }

        var editor: TextEditor {
            TextEditor(
                open: { path in
                    let text = String(
                        decoding: FileManager.default.contents(atPath: path) ?? Data(),
                        as: UTF8.self)
                    self.seen.withLock { $0.append((path, text)) }
                    guard let next = self.left.withLock({ $0.isEmpty ? nil : $0.removeFirst() })
                    else { return }
                    try Data(next.utf8).write(to: URL(fileURLWithPath: path))
                },
                asksAgain: { complaint in
                    self.complaints.withLock { $0.append(complaint) }
                    return self.left.withLock { !$0.isEmpty }
                })
        }
    }

    @Test func `an edited text and an edited list are bound, and undo brings the old ones back`()
        throws
    {
        let bench = try Workbench(access: .readWrite)
        try bench.output("t = \"old\"; r = {\"a\": [1, 2], \"b\": null}")
        let first = Pretended("new, with \"quotes\"\n")
        bench.session.editor = first.editor
        try bench.output("edit t")
        #expect(first.seen.withLock { $0[0].text } == "old")
        #expect(first.seen.withLock { $0[0].path.hasSuffix("/t.txt") })
        #expect(try bench.text("t == \"new, with \\\"quotes\\\"\\n\"") == "true")
        let second = Pretended("{\"a\": [1, 3e-5], \"c\": true}")
        bench.session.editor = second.editor
        try bench.output("edit r")
        #expect(second.seen.withLock { $0[0].text } == "{\n  \"a\": [1, 2],\n  \"b\": null\n}\n")
        #expect(try bench.text("r == {\"a\": [1, 3e-5], \"c\": true}") == "true")
        #expect(!FileManager.default.fileExists(atPath: second.seen.withLock { $0[0].path }))
        // A replay opens no editor.
        bench.session.editor = nil
        #expect(try bench.text("replay check=true").contains("same to the last bit"))
        try bench.output("undo")
        #expect(try bench.text("r") == "a  [1, 2]\nb  null")
    }

    @Test func `records keep their kind`() throws {
        let bench = try Workbench(access: .readWrite)
        try bench.output("load queries summaries count=2; load principles trained")
        let other = Pretended("[{\"id\": \"x\", \"question\": \"Why?\"}]")
        bench.session.editor = other.editor
        try bench.output("edit queries")
        #expect(try bench.text("type(queries)") == "queries")
        #expect(try bench.text("queries[0].text") == "Why?")
        try bench.output(
            "edit json principles [{\"principle\": \"Be brief.\", \"antithesis\": \"Be long.\"}]")
        #expect(try bench.text("type(principles)") == "principles")
        #expect(try bench.text("principles.count") == "1")
        #expect(try bench.text("history").contains("edit json queries [{\"id\":\"x\""))
    }

    @Test func `a faulty text can be edited again, or is kept`() throws {
        let bench = try Workbench()
        try bench.output("r = {\"a\": 1}")
        let editor = Pretended("{\"a\": 1,", "{\"a\": 2}")
        bench.session.editor = editor.editor
        try bench.output("edit r")
        #expect(try bench.text("r.a") == "2")
        #expect(editor.complaints.withLock { $0.count } == 1)
        #expect(editor.complaints.withLock { $0[0].contains("r.json: line 1, column 9: ") })
        #expect(editor.seen.withLock { $0[1].text } == "{\"a\": 1,")
        let kept = Pretended("[")
        bench.session.editor = kept.editor
        let complaint = bench.complaint("edit r")
        let path = kept.seen.withLock { $0[0].path }
        #expect(complaint.contains("`r` is as it was, and your text is in \(path)"))
        #expect(FileManager.default.fileExists(atPath: path))
        #expect(try bench.text("r.a") == "2")
        try FileManager.default.removeItem(atPath: (path as NSString).deletingLastPathComponent)
    }

    @Test func `an unchanged text binds nothing`() throws {
        let bench = try Workbench()
        try bench.output("r = [1]")
        bench.session.editor = Pretended().editor
        #expect(try bench.output("edit r").notes == ["`r` is as it was"])
    }

    @Test func `what cannot be edited says so`() throws {
        let bench = try Workbench()
        try bench.output("r = [1]; contrast tensor([[1, 2], [3, 4]])")
        #expect(
            bench.complaint("edit r") == """
                error: `edit` opens an editor, and nobody is at a terminal here
                  edit r
                  ^~~~
                  edit json r VALUE binds a value without one
                """)
        bench.session.editor = Pretended().editor
        #expect(
            bench.complaint("edit loss") == """
                error: `loss` cannot be replaced
                  edit loss
                       ^~~~
                  verbs compute it
                """)
        #expect(bench.complaint("edit r2").contains("error: there is no value called `r2`\n"))
        #expect(bench.complaint("edit json loss 3").contains("error: `loss` cannot be replaced\n"))
    }

    // MARK: Parts

    private func replaced(
        _ bench: Workbench, _ name: String, _ path: [PathStep], _ part: Value
    ) throws -> Value {
        try #require(try bench.session.value(of: name)).replacing(path[...], with: part)
    }

    @Test func `a part of plain values is replaced in a new value`() throws {
        let bench = try Workbench()
        try bench.output("r = {\"a\": [1, {\"b\": 2}]}; t = tensor([[1, 2], [3, 4]])")
        let steps: [PathStep] = [.field("a"), .places([1]), .field("b")]
        let value = try replaced(bench, "r", steps, .number(5))
        #expect(value.json == "{\"a\":[1,{\"b\":5}]}")
        #expect(try bench.text("r.a[1].b") == "2")
        #expect(
            try replaced(bench, "r", [.field("new")], .bool(true)).json.hasSuffix("\"new\":true}"))
        #expect(
            try replaced(bench, "t", [.places([1, 0])], .number(9)).asTensor?.values == [
                1, 2, 9, 4,
            ])
        #expect(
            try replaced(bench, "t", [.places([-1])], .number(0)).asTensor?.values == [1, 2, 0, 0])
        #expect(throws: EvaluationError.notReplaceable("`mean` of a tensor", fields: [])) {
            try replaced(bench, "t", [.field("mean")], .number(0))
        }
        #expect(throws: EvaluationError.self) {
            try replaced(bench, "r", [.field("b"), .field("c")], .number(0))
        }
        #expect(throws: EvaluationError.indexOutOfRange(index: 2, count: 2, what: "the list")) {
            try replaced(bench, "r", [.field("a"), .places([2])], .number(0))
        }
    }

    @Test func `a value is changed by an operator`() throws {
        let bench = try Workbench(access: .readWrite)
        try bench.output("n = 2; n += 3; n *= 4; n -= 2; n /= 9; t = [1]; t += [2, 3]")
        #expect(try bench.text("[n, t]") == "[2, [1, 2, 3]]")
        try bench.output("r = {\"a\": {\"b\": [1, 2]}}; r.a.b[1] *= 10; r[\"a\"].b[0] -= 1")
        #expect(try bench.text("r.a.b") == "[0, 20]")
        try bench.output("undo")
        #expect(try bench.text("r.a.b") == "[1, 20]")
        #expect(
            bench.complaint("missing += 1") == """
                error: there is no value called `missing`
                  missing += 1
                  ^~~~~~~
                """)
        #expect(try bench.text("n") == "2")
    }

    @Test func `an assignment to a part binds a new value, which undo takes back`() throws {
        let bench = try Workbench(access: .readWrite)
        try bench.output("r = {\"a\": [1, {\"b\": 2}]}; old = r; t = zeros(2, 2)")
        try bench.output("r.a[1].b = 5 + 1; r[\"new\"] = true; t[1] = [3, 4]; t[0, -1] = 9")
        #expect(try bench.text("r == {\"a\": [1, {\"b\": 6}], \"new\": true}") == "true")
        #expect(try bench.text("old.a[1].b") == "2")
        #expect(try bench.text("all(t == tensor([[0, 9], [3, 4]]))") == "true")
        try bench.output("for i in range(2) { r.a[i] = i }")
        #expect(try bench.text("r.a") == "[0, 1]")
        #expect(try bench.text("replay check=true").contains("same to the last bit"))
        try bench.output("undo; undo; undo")
        #expect(try bench.text("t[1, 1]") == "0")
        try bench.output("queries = [{\"id\": \"a\", \"post\": \"x\"}]; queries[0].post = \"y\"")
        #expect(try bench.text("queries[0].post") == "y")
    }

    @Test func `a part that cannot be replaced says so`() throws {
        let bench = try Workbench()
        try bench.output(
            "contrast tensor([[1, 2], [3, 4]]); x = [1, 2]; load queries summaries count=1")
        for (source, message) in [
            ("loss.value = 0", "`value` of a loss cannot be replaced"),
            ("loss[0] = 0", "an item of loss cannot be replaced"),
            ("queries[0].id = 3", "`id` of a query must be text, not a number"),
            (
                "queries.text = \"a\"",
                "`text` is a field of each item, and one is replaced at a time"
            ),
            ("x[2] = 0", "index 2 is out of range: the list has 2 items, 0 to 1"),
            ("x[0.5] = 0", "the place of a part must be a whole number, not 0.5"),
            ("x.a = 0", "`a` is a field of each item, and one is replaced at a time"),
            ("y[0] = 0", "there is no value called `y`"),
            ("zeros(2)[0] = 0", "only names, or one part of a value, can stand on the left of `=`"),
            ("x[0][1] = 2", "a number cannot be indexed"),
        ] {
            #expect(bench.complaint(source).contains("error: \(message)\n"), "\(source)")
        }
        #expect(try bench.text("x") == "[1, 2]")
    }

    @Test(.enabled(if: Workbench.hasShippedModel))
    func `a response that is replaced is scored`() throws {
        let bench = try Workbench()
        try bench.output(
            """
            load model default; load principles trained; load queries summaries count=2
            compose count=2 principles_each=2; rollout; a = score
            rollouts[0][1].response = " Ahoy, matey!"; b = score
            """)
        #expect(try bench.text("rollouts[0][1].response") == " Ahoy, matey!")
        #expect(try bench.text("type(rollouts)") == "rollouts")
        #expect(try bench.text("max(abs(a[0][:, 0] - b[0][:, 0])) < 1e-4") == "true")
        #expect(try bench.text("min(abs(a[0][:, 1] - b[0][:, 1])) > 0.01") == "true")
        try bench.output("rollouts[\"summaries-train-1\"][0].response = \" By id.\"")
        #expect(try bench.text("rollouts[1][0].response") == " By id.")
        #expect(
            bench.complaint("rollouts[\"summaries-train-7\"][0].response = \"x\"").contains(
                "did you mean"))
    }

    @Test(.enabled(if: Workbench.hasShippedModel))
    func `texts of rollouts, constitutions, queries and principles are replaced`() throws {
        let bench = try Workbench()
        try bench.output(
            """
            load model default; load principles trained; load queries summaries count=2
            compose count=2 principles_each=2; rollout
            """)
        let rollouts = try replaced(
            bench, "rollouts", [.places([0, 1]), .field("response")], .text(" Ahoy.")
        )
        .object(RolloutsObject.self)
        let group = try #require(rollouts?.rollouts.groups.first)
        #expect(group.responses[1].content == .text(" Ahoy.") && group.responses[1].sampled == nil)
        #expect(group.responses[0].sampled != nil && !group.constitutions.isEmpty)
        #expect(
            throws: EvaluationError.notReplaceable(
                "`constitution` of a rollout", fields: ["response"])
        ) {
            try replaced(
                bench, "rollouts", [.places([0]), .places([0]), .field("constitution")], .number(1))
        }
        try bench.output("one = rollouts[0]")
        let query = try replaced(
            bench, "one", [.places([1]), .field("response")], .text(" Ahoy.")
        )
        .object(QueryRolloutsObject.self)
        #expect(query?.group == group)
        let constitutions = try replaced(
            bench, "constitutions",
            [.places([0]), .field("constitutions"), .places([1])], .text("1. Rhyme.\n2. Be kind.")
        )
        .object(ConstitutionsObject.self)
        #expect(constitutions?.groups?[0].constitutions[1].text == "1. Rhyme.\n2. Be kind.")
        #expect(constitutions?.groups?[0].training[1].text == "1. Rhyme.\n2. Be kind.")
        let queries = try replaced(
            bench, "queries", [.places([1]), .field("text")], .text("A post.")
        )
        .object(QueriesObject.self)
        #expect(queries?.queries[1].text == "A post." && queries?.queries[1].form == .post)
        #expect(throws: EvaluationError.self) {
            try replaced(
                bench, "queries", [.places([1]), .field("id")], .text("summaries-train-0"))
        }
        let principles = try replaced(
            bench, "principles", [.places([0]), .field("principle")], .text("Rhyme.")
        )
        .object(PrinciplesObject.self)
        #expect(principles?.pairs[0].principle == "Rhyme.")
        #expect(principles?.pairs[1].antithesis == (try bench.text("principles[1].antithesis")))

        // The plain form with other responses keeps constitutions and prompts.
        try bench.output("old = rollouts; export rollouts r.json; plain = load table r.json")
        let plain = try #require(try bench.session.value(of: "plain"))
        let changed = try plain.replacing([.places([0]), .field("response")], with: .text(" Hm."))
        let edited = try #require(
            try bench.session.value(of: "rollouts")?.object(RolloutsObject.self)
        )
        .edited(changed).object(RolloutsObject.self)
        #expect(edited?.rollouts.groups[0].responses[0].content == .text("Hm."))
        let old = try bench.session.value(of: "old")?.object(RolloutsObject.self)
        #expect(
            edited?.rollouts.groups[0].responses[1] == old?.rollouts.groups[0].responses[1])
        #expect(edited?.rollouts.groups[0].constitutions == group.constitutions)
    }
}
