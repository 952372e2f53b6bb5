import Foundation
import HDF5Objects
import JSON
import Tensors
import Testing
import Transformers

@testable import Commands
@testable import Rendering
@testable import Sessions
@testable import ShippedWorld
@testable import Values

@Suite struct ExportTests {
    @Test func `a tensor as npy has NumPy's header and its values`() throws {
        let bench = try Workbench()
        try bench.output("x = tensor([[1, 2, 3], [4, 5, 6]]); export x x.npy")
        let data = [UInt8](try bench.read("x.npy"))
        #expect(Array(data[0..<8]) == [0x93] + Array("NUMPY".utf8) + [1, 0])
        let length = Int(data[8]) | Int(data[9]) << 8
        #expect((10 + length) % 64 == 0)
        let header = String(decoding: data[10..<(10 + length)], as: UTF8.self)
        #expect(header.hasPrefix("{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), }"))
        #expect(header.hasSuffix("\n"))
        #expect(data.count == 10 + length + 24)
        #expect(Array(data[(10 + length)..<(14 + length)]) == [0, 0, 0x80, 0x3F])
    }

    @Test func `tensors as safetensors keep their names`() throws {
        let bench = try Workbench()
        try bench.output(
            "x = ones(2, 3); export x x.safetensors; export {\"a\": x, \"b\": [1, 2]} r.safetensors"
        )
        #expect(
            try SafeTensors(path: bench.folder + "/x.safetensors").tensor("x")?.shape == [2, 3])
        let record = try SafeTensors(path: bench.folder + "/r.safetensors")
        #expect(record.tensor("b")?.values == [1, 2])
    }

    @Test func `lists as JSON, JSON Lines and CSV read back`() throws {
        let bench = try Workbench()
        try bench.output(
            "rows = [{\"a\": 1, \"b\": \"x, \\\"y\\\"\\nz\"}, {\"a\": 2.5, \"c\": null}]")
        try bench.output("export rows r.json; export rows r.jsonl; export rows r.csv")
        let json = Value(try JSON.read(try bench.read("r.json")))
        let rows = try #require(try bench.output("rows").value)
        #expect(json.equals(rows))
        let lines = String(decoding: try bench.read("r.jsonl"), as: UTF8.self)
        #expect(lines == "{\"a\":1,\"b\":\"x, \\\"y\\\"\\nz\"}\n{\"a\":2.5,\"c\":null}\n")
        let csv = String(decoding: try bench.read("r.csv"), as: UTF8.self)
        #expect(csv == "a,b,c\n1,\"x, \"\"y\"\"\nz\",\n2.5,,\n")
    }

    @Test func `queries and principles written out can be loaded again`() throws {
        let bench = try Workbench()
        try bench.output(
            """
            load queries summaries count=3
            load principles all
            compose count=2 principles_each=2
            export queries q.jsonl
            export principles p.jsonl
            export constitutions c.jsonl
            """)
        let before = try ["queries", "principles"].map { try bench.output($0).text.plain }
        try bench.output(
            "load queries q.jsonl; load principles p.jsonl; load constitutions c.jsonl")
        #expect(try bench.output("queries").text.plain == before[0])
        #expect(try bench.output("len(principles)").value?.asInteger ?? 0 > 9)
        #expect(try bench.text("constitutions.count") == "3")
    }

    @Test func `an HDF5 file holds the tensor under its name`() throws {
        let bench = try Workbench()
        try bench.output("weights = ones(4); export weights w.h5")
        let data = try bench.read("w.h5")
        #expect(Array(data.prefix(4)) == [0x89] + Array("HDF".utf8))
    }

    @Test func `pictures are files, PNG where librsvg is there`() throws {
        let bench = try Workbench()
        let outcomes = bench.run(
            "plot [3, 1, 2] line.svg; plot tensor([[1, 2], [3, 4]]) map.png; export [1, 2] l.svg")
        for outcome in outcomes {
            if case .failure(let failure) = outcome.result {
                #expect(failure.message == "a PNG is made by rsvg-convert, which is not installed")
                return
            }
        }
        #expect(String(decoding: try bench.read("line.svg"), as: UTF8.self).contains("<svg"))
        #expect(Array(try bench.read("map.png").prefix(4)) == [0x89, 0x50, 0x4E, 0x47])
        #expect(
            bench.complaint("plot [1] x.gif") == """
                error: a picture cannot be written as `.gif`
                  plot [1] x.gif
                           ^~~~~
                  use `.svg`, `.png` or `.html`
                """)
    }

    @Test func `a line is drawn in the window`() throws {
        let bench = try Workbench()
        bench.session.appearance = Appearance(width: 30, isUnicode: false)
        #expect(
            try bench.output("plot [0, 1, 4, 9, 16]").text.plain == """
                [0, 1, 4, 9, 16]
                   |                        *
                 15|                       .
                   |                     ..
                   |                    .
                 10|                   .
                   |                 .*
                   |               ..
                   |             ..
                  5|           .*
                   |        ...
                   |   ...*.
                  0|*..
                    0           2           4
                              index
                """)
    }
}
