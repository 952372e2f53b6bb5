import Foundation
import JSON
import TestSupport
import Testing

@testable import Shell

/// `sami kernel`, started as a person and as a client of Jupyter start it.
@Suite(.enabled(if: Program.path != nil, "the program `sami` was not built with the tests"))
struct KernelProgramTests {
    @Test func `a kernel is installed, listed and uninstalled`() throws {
        let folder = try TemporaryFolder()
        func sami(_ arguments: String...) throws -> Program.Result {
            try Program.run(["kernel"] + arguments, in: folder.path)
        }
        let spec = folder.path + "/.local/share/jupyter/kernels/sami"
        #expect(try !sami("list").output.contains(spec))
        let missing = try sami("uninstall")
        #expect(missing.code == 1 && missing.errors.contains("no kernel is installed in \(spec)"))
        #expect(try sami("install").output == "installed: \(spec)\n")
        let bytes = Array(try Data(contentsOf: URL(fileURLWithPath: spec + "/kernel.json")))
        let json = try JSON.read(bytes)
        let arguments = json["argv"]?.elements?.compactMap(\.string) ?? []
        #expect(FileManager.default.isExecutableFile(atPath: arguments[0]))
        #expect(arguments.dropFirst() == ["kernel", "run", "{connection_file}"])
        #expect(json["interrupt_mode"]?.string == "message")
        for side in [32, 64] {
            let logo = try Data(
                contentsOf: URL(fileURLWithPath: "\(spec)/logo-\(side)x\(side).png"))
            // The width is the fifth four bytes of a PNG.
            #expect(logo.prefix(4) == Data([0x89] + Array("PNG".utf8)) && logo[19] == UInt8(side))
        }
        #expect(try sami("list").output.contains("starts \(arguments[0])"))
        try "{\"argv\":[\"/gone/sami\"]}".write(
            toFile: spec + "/kernel.json", atomically: true, encoding: .utf8)
        #expect(try sami("list").output.contains("this program is gone"))
        try "{".write(toFile: spec + "/kernel.json", atomically: true, encoding: .utf8)
        #expect(try sami("list").output.contains("cannot be read"))
        let named = try sami("install", "--prefix", "p", "--workspace", "all.samiws")
        #expect(named.output == "installed: \(folder.path)/p/share/jupyter/kernels/sami\n")
        let text = try String(
            contentsOfFile: folder.path + "/p/share/jupyter/kernels/sami/kernel.json",
            encoding: .utf8)
        #expect(text.contains("\"\(folder.path)/all.samiws\""))
        #expect(try sami("uninstall").code == 0)
        #expect(!FileManager.default.fileExists(atPath: spec))
        let both = try sami("install", "--user", "--prefix", "p")
        #expect(both.code == 2 && both.errors.contains("exclude each other"))
        let nowhere = try sami("install", "--sys-prefix")
        #expect(nowhere.code == 2 && nowhere.errors.contains("needs an active environment"))
    }

    @Test func `a kernel that cannot start says why`() throws {
        let folder = try TemporaryFolder()
        func run(_ text: String) throws -> Program.Result {
            try text.write(toFile: folder.path + "/c.json", atomically: true, encoding: .utf8)
            return try Program.run(["kernel", "run", "c.json"], in: folder.path)
        }
        let ports = #""shell_port":1,"control_port":2,"stdin_port":3,"iopub_port":4,"hb_port":5"#
        let other = try run("{\"a\": 1}")
        #expect(other.code == 2)
        #expect(
            other.errors
                == "sami: c.json: not a connection file of Jupyter: `shell_port` is missing\n")
        let nowhere = try run("{\"transport\":\"ipc\",\"ip\":\"/nowhere/k\",\(ports)}")
        #expect(nowhere.code == 2)
        #expect(nowhere.errors.contains("ipc:///nowhere/k-1 cannot be listened on: "))
        // Two sockets at one address: the second is busy.
        let busy = try run(
            "{\"transport\":\"tcp\",\"ip\":\"127.0.0.1\","
                + ports.replacing(#/port":\d/#, with: "port\":45671") + "}")
        #expect(busy.errors.contains("tcp://127.0.0.1:45671 cannot be listened on: "))
        #expect(busy.errors.contains("in use"))
        let missing = try Program.run(["kernel", "run", "none.json"], in: folder.path)
        #expect(missing.errors.hasPrefix("sami: none.json: "))
    }
}
