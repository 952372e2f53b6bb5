import Foundation
import JSON
import Tensors
import Testing

@testable import Commands
@testable import Rendering
@testable import Sessions
@testable import Values

/// Files in and out: what `export` wrote is loaded again, and hostile files get a sentence.
@Suite struct DataFileTests {
    private func tensor(_ bench: Workbench, _ source: String) throws -> Tensor {
        try #require(try bench.output(source).value?.asTensor)
    }

    @Test func `a tensor comes back from every format that can hold it`() throws {
        let bench = try Workbench()
        let sources = [
            "tensor([0.1, -2.5e-30, 3.4e38])", "tensor([[1, 2, 3], [4, 5, 6]]) / 7", "ones(1, 4)",
            "reshape(range(24), [2, 3, 4])", "zeros(0)", "tensor(7)",
        ]
        for source in sources {
            try bench.output("x = \(source)")
            let before = try tensor(bench, "x")
            for format in ["npy", "safetensors", "h5", "csv", "json"] {
                if format == "csv", before.shape.count != 1, before.shape.count != 2 { continue }
                if format == "csv", before.count == 0 { continue }
                try bench.output("export x x.\(format); y = load tensor x.\(format)")
                let after = try tensor(bench, "y")
                #expect(after.shape == before.shape, "\(source) as .\(format)")
                #expect(after.values == before.values, "\(source) as .\(format)")
            }
        }
    }

    @Test func `a file with several tensors gives a record, and name picks one`() throws {
        let bench = try Workbench()
        try bench.output("r = {\"b\": ones(2), \"a\": tensor([3, 4])}")
        for format in ["safetensors", "h5"] {
            try bench.output("export r r.\(format)")
            #expect(try bench.text("t = load tensor r.\(format); keys(t)") == "[\"b\", \"a\"]")
            #expect(try tensor(bench, "load tensor r.\(format) name=a").values == [3, 4])
            let lines = bench.complaint("load tensor r.\(format) name=c").split(separator: "\n")
            #expect(
                lines.first == "error: r.\(format) has no field `c`"
                    && lines.last == "  it has `b`, `a`")
        }
    }

    @Test func `numpy's other types are read, and rounding is said`() throws {
        let bench = try Workbench()
        func write(_ description: String, _ order: String, _ shape: String, _ bytes: [UInt8]) throws
        {
            let header =
                "{'descr': '\(description)', 'fortran_order': \(order), 'shape': \(shape), }\n"
            try Data(
                [0x93] + Array("NUMPY".utf8) + [1, 0, UInt8(header.utf8.count), 0]
                    + Array(header.utf8) + bytes
            ).write(to: URL(fileURLWithPath: bench.folder + "/x.npy"))
        }
        try write("|u1", "True", "(2, 3)", [1, 2, 3, 4, 5, 6])
        // np.array([[1, 3, 5], [2, 4, 6]], order="F")
        #expect(try tensor(bench, "load tensor x.npy").values == [1, 3, 5, 2, 4, 6])
        let doubles: [Double] = [0.5, 0.1, .nan]
        try write("<f8", "False", "(3,)", doubles.withUnsafeBytes { Array($0) })
        let output = try bench.output("load tensor x.npy")
        #expect(output.notes == ["1 value of type float64 is rounded to float32"])
        let whole: [Int64] = [3, 1 << 24 + 1]
        try write("<i8", "False", "(2,)", whole.withUnsafeBytes { Array($0) })
        #expect(
            try bench.output("load tensor x.npy").notes
                == ["1 value of type int64 is rounded to float32"])
    }

    @Test func `numbers of a CSV file may have a title line and gaps`() throws {
        let bench = try Workbench()
        try bench.write("x.csv", "a,b\n1,2\n,4.5\n")
        let tensor = try tensor(bench, "load tensor x.csv")
        #expect(tensor.shape == [2, 2] && tensor.values[0] == 1 && tensor.values[2].isNaN)
        try bench.write("x.csv", "1,2\n3,b\n")
        #expect(
            bench.complaint("load tensor x.csv") == """
                error: x.csv, line 2: "b" in column 1 is not a number; `load table` reads text too
                  load tensor x.csv
                              ^~~~~
                """)
    }

    @Test func `a file of other programs says what to do`() throws {
        let bench = try Workbench()
        for (name, sentence) in [
            ("x.pt", "a .pt file is a pickle, and reading it would run its author's code"),
            ("x.npz", "tensors of a .npz archive are not read"),
            ("x.xlsx", "tensors are not read from `.xlsx`"),
            ("x", "the file name has no extension to give the format"),
        ] {
            try bench.write(name, "content")
            #expect(bench.complaint("load tensor \(name)").contains("error: \(sentence)\n"))
        }
        #expect(bench.complaint("load tensor y.npy").contains("there is no file y.npy"))
        try bench.write("x.npy", "no array at all")
        #expect(
            bench.complaint("load tensor x.npy")
                .contains("error: x.npy: it does not begin like a file of numpy.save\n"))
        try bench.write("x.h5", "no file of HDF5, whatever its name says")
        #expect(bench.complaint("load tensor x.h5").contains("error: x.h5: "))
        try bench.write("x.safetensors", "12345678")
        #expect(
            bench.complaint("load tensor x.safetensors").contains("error: x.safetensors is not"))
        #expect(bench.complaint("load table x.parquet").contains("error: Parquet is not read\n"))
    }

    @Test func `a table comes back from every format that can hold it`() throws {
        let bench = try Workbench()
        let source = """
            rows = [{"id": "007", "n": 0.1, "ok": true, "text": "a, \\"b\\"\\nc"}, \
            {"id": "1e5", "n": -3, "ok": false, "text": ""}, \
            {"id": "é😀", "n": 9007199254740992, "ok": null, "text": "null"}]
            """
        let rows = try #require(try bench.output(source).value)
        for format in ["csv", "json", "jsonl", "h5"] {
            try bench.output("export rows r.\(format)")
            let again = try #require(try bench.output("load table r.\(format)").value)
            #expect(again.equals(rows), "as .\(format)")
        }
        for source in [
            "{\"a\": [1, 2], \"b\": null}", "3.5", "\"text\"", "[1, [2], \"x\"]", "true",
        ] {
            try bench.output("v = \(source); export v v.json; w = load table v.json")
            #expect(try bench.text("v == w") == "true", "\(source)")
        }
    }

    @Test func `whole numbers that a double would round stay as they are`() throws {
        let bench = try Workbench()
        try bench.write("t.csv", "id,n\n9007199254740993,1\n-9007199254740993,2\n")
        try bench.write("t.json", "[{\"id\": 9007199254740993}, {\"id\": -9007199254740993}]")
        for name in ["t.csv", "t.json"] {
            let output = try bench.output("t = load table \(name)")
            #expect(output.notes == ["whole numbers beyond 2^53 are kept as text, in `id`"])
            #expect(try bench.text("t[1].id") == "-9007199254740993")
            #expect(try bench.text("t[0].id == t[1].id") == "false")
        }
    }

    @Test func `a faulty table names the line`() throws {
        let bench = try Workbench()
        for (content, sentence) in [
            ("a,b\n1,2\n3\n", "t.csv, line 3: it has 1 cell, and the first line names 2 columns"),
            ("a,a\n1,2\n", "t.csv, line 1: two columns are called \"a\""),
            ("a\n\"x\n", "t.csv, line 2: a cell's opening quote has no closing one"),
            ("\n\n", "t.csv is empty"),
        ] {
            try bench.write("t.csv", content)
            #expect(bench.complaint("load table t.csv").contains("error: \(sentence)\n"))
        }
        // The index that pandas writes has no name.
        try bench.write("t.csv", ",a\n0,x\n")
        #expect(try bench.text("t = load table t.csv; keys(t[0])") == "[\"column0\", \"a\"]")
    }

    @Test func `a text is read and written as it is`() throws {
        let bench = try Workbench()
        try bench.output("t = \"two\\nlines, é\\n\"; export t t.txt; u = load text t.txt")
        #expect(try bench.text("t == u") == "true")
        #expect(String(decoding: try bench.read("t.txt"), as: UTF8.self) == "two\nlines, é\n")
        try Data([0x66, 0xFF]).write(to: URL(fileURLWithPath: bench.folder + "/b.txt"))
        #expect(
            bench.complaint("load text b.txt").contains("error: b.txt: it is not text in UTF-8"))
        #expect(
            bench.complaint("export [1] x.txt") == """
                error: a list cannot be written as `.txt`
                  export [1] x.txt
                             ^~~~~
                  use `.csv`, `.json`, `.jsonl`, `.npy`, `.safetensors`, `.h5` or `.html`
                """)
    }

    @Test func `queries, principles and constitutions are read from CSV and JSON, too`() throws {
        let bench = try Workbench()
        try bench.output(
            """
            load queries summaries count=3; load principles trained
            compose count=2 principles_each=2
            """)
        for (name, kind) in [("q", "queries"), ("p", "principles"), ("c", "constitutions")] {
            try bench.output("export \(kind) \(name).jsonl; a = load \(kind) \(name).jsonl")
            for format in ["csv", "json"] {
                try bench.output(
                    "export \(kind) \(name).\(format); b = load \(kind) \(name).\(format)")
                #expect(try bench.text("a == b") == "true", "\(kind) as .\(format)")
            }
        }
        try bench.write("q.json", "[{\"post\": \"x\"}, {\"pots\": \"y\"}]")
        #expect(
            bench.complaint("load queries q.json").contains(
                "error: q.json: item 1: `post`, `question` or `text` is missing; `pots` may be "
                    + "meant for `post`\n"))
    }
}
