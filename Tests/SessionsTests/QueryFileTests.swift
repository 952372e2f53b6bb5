import Foundation
import Testing

@testable import Commands
@testable import Rendering
@testable import Sessions
@testable import Values

/// Files of queries in the forms that people have: docs/QUERY_FILES.md.
@Suite struct QueryFileTests {
    private static let summary =
        "SUBREDDIT: r/tea\\n\\nTITLE: Kettle\\n\\nPOST: My kettle is loud.\\n\\nIt hums. \\n\\nTL;DR:"
    private static let dialog =
        "\\n\\nHuman: Why is tea hot? \\n\\nAssistant: It is.\\n\\nHuman: Why?\\n\\nAssistant: So."

    struct Shape: Sendable, CustomTestStringConvertible {
        var record: String
        var form: String
        var text: String
        var source: String
        var testDescription: String { source }

        init(_ record: String, _ form: String, _ text: String, _ source: String) {
            (self.record, self.form, self.text, self.source) = (record, form, text, source)
        }
    }

    static let shapes = [
        Shape(#"{"post": "A post.", "title": "T", "prompt": null}"#, "post", "A post.", "`post`"),
        Shape(
            #"{"info": {"id": "t3_a", "post": "A post."}, "summaries": []}"#, "post", "A post.",
            "`info.post`"),
        Shape(
            "{\"prompt\": \"\(summary)\", \"completion\": \" Loud.\"}", "post",
            "My kettle is loud.\n\nIt hums.", "`prompt`, the text after POST:"),
        Shape(
            "{\"chosen\": \"\(dialog)\", \"rejected\": \"\"}", "text", "Why is tea hot?",
            "`chosen`, the first human turn"),
        Shape(
            "{\"prompt\": \"\(dialog)\", \"chosen\": \" So.\"}", "text", "Why is tea hot?",
            "`prompt`, the first human turn"),
        Shape(
            #"{"prompt": "The sky is", "completion": " blue"}"#, "text", "The sky is", "`prompt`"),
        Shape(
            """
            {"prompt": [{"role": "system", "content": "Be brief."}, \
            {"role": "user", "content": "Why?"}], "chosen": [{"role": "assistant", "content": "So."}]}
            """, "text", "Why?", "`prompt`, the user's first message"),
        Shape(
            """
            {"messages": [{"role": "user", "content": [{"type": "text", "text": "Why "}, \
            {"type": "text", "text": "not?"}]}, {"role": "assistant", "content": "So."}]}
            """, "text", "Why not?", "`messages`, the user's first message"),
        Shape(
            #"{"chosen": [{"role": "user", "content": "Why?"}, {"role": "assistant", "content": "So."}]}"#,
            "text", "Why?", "`chosen`, the user's first message"),
    ]

    @Test(arguments: shapes)
    func `the known forms are found`(_ shape: Shape) throws {
        let bench = try Workbench()
        try bench.write("q.jsonl", shape.record + "\n")
        let output = try bench.output("load queries q.jsonl")
        #expect(
            output.text.plain.contains("1 record in q.jsonl; the text is \(shape.source)"))
        #expect(try bench.text("queries[0].form") == shape.form)
        let quoted = shape.text.replacing("\n", with: "\\n")
        #expect(try bench.text("queries[0].text == \"\(quoted)\"") == "true")
    }

    @Test func `field= names another field, in an inner record too`() throws {
        let bench = try Workbench()
        try bench.write(
            "q.jsonl",
            """
            {"post": "A post.", "title": "A title.", "info": {"title": "Inner."}, "n": 3}
            {"post": "Another.", "title": "Two.", "info": {"title": "Second."}, "n": 4}
            """)
        #expect(try bench.text("load queries q.jsonl field=title; queries[1].text") == "Two.")
        #expect(
            try bench.text("load queries q.jsonl field=info.title; queries[1].text") == "Second.")
        #expect(
            bench.complaint("load queries q.jsonl field=body").hasPrefix(
                "error: q.jsonl, line 1: it has no field `body`; its fields are `post`, `title`, "
                    + "`info`, `n`\n"))
        #expect(
            bench.complaint("load queries q.jsonl field=n").hasPrefix(
                "error: q.jsonl, line 1: `n` must be a text or a list of messages, not a number\n"))
        #expect(
            bench.complaint("load queries summaries field=post").contains(
                "`field` belongs to a file, not to the shipped world"))
    }

    @Test func `what was read and skipped is said`() throws {
        let bench = try Workbench()
        try bench.write(
            "q.jsonl",
            """
            {"post": "One."}
            {"prompt": "Two."}
            {"post": "Three."}
            """)
        #expect(
            try bench.text("load queries q.jsonl").contains(
                "3 records in q.jsonl; the text is `post` in 2; `prompt` in 1"))
        #expect(
            try bench.text("load queries q.jsonl first=1 count=1").contains(
                "1 of 3 records in q.jsonl; the text is `prompt`"))
    }

    @Test func `a list, a table and gzip of each give the same queries`() throws {
        let bench = try Workbench()
        try bench.write("a.jsonl", "\u{FEFF}{\"id\": 1, \"post\": \"x, \\\"y\\\"\\nz\"}\r\n\r\n")
        try bench.write("b.json", #"[{"id": 1, "post": "x, \"y\"\nz"}]"#)
        try bench.write("c.jsonl", "\n [{\"id\": 1, \"post\": \"x, \\\"y\\\"\\nz\"}]\n")
        try bench.write("d.csv", "\u{FEFF}id,post,summary\n1,\"x, \"\"y\"\"\nz\",\n")
        try bench.output("a = load queries a.jsonl")
        for name in ["b.json", "c.jsonl", "d.csv"] {
            #expect(try bench.text("load queries \(name); queries == a") == "true", "\(name)")
        }
        // gzip.compress(b'{"id": 1, "post": "x, \\"y\\"\\nz"}\n', mtime=0) and of the CSV.
        for (name, text) in [("e.jsonl.gz", Self.packedLines), ("f.csv.gz", Self.packedTable)] {
            let data = try #require(Data(base64Encoded: text))
            try data.write(to: URL(fileURLWithPath: bench.folder + "/" + name))
            #expect(try bench.text("load queries \(name); queries == a") == "true", "\(name)")
            try data.dropLast(9).write(to: URL(fileURLWithPath: bench.folder + "/cut.gz"))
            #expect(
                bench.complaint("load queries cut.gz").hasPrefix(
                    "error: cut.gz: the gzip file is cut: it ends before its content does\n"))
        }
    }

    private static let packedLines =
        "H4sIAAAAAAACA6tWykxRslIw1FFQKsgvLgEylSp0FGKUKmOUYvKqlGq5ADNaivMhAAAA"
    private static let packedTable =
        "H4sIAAAAAAACA3u/e39mik5BfnGJTnFpbm5iUSWXoY5ShY6CklKlkhJXlZIOFwC4k6aYIwAAAA=="

    @Test func `a gzip file that would fill memory is refused`() throws {
        let bench = try Workbench()
        // gzip.compress(b'{"post": "' + b"x" * 4000 + b'"}\n', mtime=0)
        let packed = "H4sIAAAAAAACA+3BsQ0AEAAEwN4U8mNYioRCInY3hubuTkafK61mAwAAAN/llgccMRynrQ8AAA=="
        try #require(Data(base64Encoded: packed)).write(
            to: URL(fileURLWithPath: bench.folder + "/b.jsonl.gz"))
        #expect(try bench.text("load queries b.jsonl.gz; len(queries[0].text)") == "4000")
        try bench.output("set file_limit=1kB")
        #expect(
            bench.complaint("load queries b.jsonl.gz").hasPrefix(
                "error: b.jsonl.gz: its content has more than 1 kB, and that is file_limit\n"))
    }

    @Test(
        arguments: [
            (
                "q.jsonl", "{\"title\": \"T\", \"score\": 3}",
                "q.jsonl, line 1: no text of a query among its fields, `title`, `score`; accepted are "
                    + "`post`, `question` or `text`; TL;DR's `info.post` or `prompt`; TRL's `prompt` "
                    + "or `messages`; HH-RLHF's `chosen`; or another with field=NAME"
            ),
            (
                "q.jsonl", "{\"post\": \"x\"}\n{\"id\": 2}",
                "q.jsonl, line 2: no text of a query among its fields, `id`; accepted are "
            ),
            (
                "q.jsonl", "{\"post\": null, \"text\": null}",
                "q.jsonl, line 1: no text of a query among its fields, `post`, `text`; accepted are "
            ),
            (
                "q.jsonl", "{\"chosen\": \"Assistant: no.\"}",
                "q.jsonl, line 1: `chosen` has no human turn (\"\\n\\nHuman: … \\n\\nAssistant: …\")"
            ),
            (
                "q.jsonl", "{\"messages\": [{\"role\": \"system\", \"content\": \"x\"}]}",
                "q.jsonl, line 1: `messages` has no message of a user (\"role\": \"user\")"
            ),
            (
                "q.jsonl", "{\"messages\": [\"x\"]}",
                "q.jsonl, line 1: each item of `messages` must be a message, {\"role\": \"user\", "
                    + "\"content\": \"…\"}, not text"
            ),
            (
                "q.jsonl",
                "{\"messages\": [{\"role\": \"user\", \"content\": [{\"type\": \"image\"}]}]}",
                "q.jsonl, line 1: the content of the user's message in `messages` is not text alone"
            ),
            (
                "q.jsonl", "{\"messages\": []}",
                "q.jsonl, line 1: `messages` must be a text or a list of messages, not a list"
            ),
            (
                "q.csv", "id,post\n1,x\n2\n",
                "q.csv, line 3: it has 1 cell, and the first line names 2 columns"
            ),
            (
                "q.csv", "id;post\n1;x\n",
                "q.csv, line 1: its columns are separated by semicolons, and commas are read; save it "
                    + "as comma-separated values"
            ),
        ])
    func `a file that does not fit is refused with its line`(
        _ name: String, _ content: String, _ sentence: String
    ) throws {
        let bench = try Workbench()
        try bench.write(name, content)
        let complaint = bench.complaint("load queries \(name)")
        #expect(complaint.hasPrefix("error: " + sentence), "\(complaint)")
    }
}
