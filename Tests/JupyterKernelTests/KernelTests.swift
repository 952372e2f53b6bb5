import Foundation
import JSON
import TestSupport
import Testing

@testable import JupyterKernel

/// A kernel and a client over sockets, in the order of a person's work.
@Suite(.timeLimit(.minutes(2))) struct KernelTests {
    private func types(_ messages: [Message]) -> [String] {
        messages.map { $0.content["execution_state"]?.string ?? $0.type }
    }

    @Test func `a cell publishes its input, its displays and its result`() throws {
        let client = try KernelClient()
        let (reply, published) = try client.execute("x = 2; plot [1, 2]\nx + 1")
        #expect(
            types(published)
                == ["busy", "execute_input", "display_data", "execute_result", "idle"])
        #expect(published[3].content["data"]?["text/plain"]?.string == "3")
        #expect(published[2].content["data"]?["image/svg+xml"]?.string?.hasPrefix("<svg") == true)
        #expect(reply["status"]?.string == "ok")
        #expect(reply["execution_count"]?.integer == 1)
        #expect(try client.execute("x = 3").reply["execution_count"]?.integer == 2)
        let (silent, nothing) = try client.ask(
            "execute_request", ["code": "x", "silent": true])
        #expect(types(nothing) == ["busy", "idle"])
        #expect(silent["execution_count"]?.integer == 2)
        let kept = try client.ask("execute_request", ["code": "x", "store_history": false])
        #expect(kept.reply["execution_count"]?.integer == 2)
        #expect(types(kept.published).contains("execute_result"))
    }

    @Test func `a kernel without a workspace answers each cell with the reason`() throws {
        let client = try KernelClient(fault: "no cell runs: the workspace is damaged")
        for _ in 0..<2 {
            let (reply, published) = try client.execute("x = 1")
            #expect(types(published) == ["busy", "execute_input", "error", "idle"])
            #expect(
                published[2].content["evalue"]?.string == "no cell runs: the workspace is damaged")
            #expect(reply["status"]?.string == "error")
        }
    }

    @Test func `a cell has one error, whatever the number of its mistakes`() throws {
        let client = try KernelClient()
        let (reply, published) = try client.execute("x = )\ny = )\nz = 1")
        #expect(types(published) == ["busy", "execute_input", "error", "idle"])
        #expect(reply["status"]?.string == "error")
        let lines = reply["traceback"]?.elements?.compactMap(\.string) ?? []
        #expect(lines.contains { $0.contains("In [1]:1:5") })
        #expect(lines.contains { $0.contains("In [1]:2:5") })
        // Nothing of the cell ran.
        #expect(try client.execute("z").reply["status"]?.string == "error")
    }

    @Test func `help is a page, and values of expressions come with the reply`() throws {
        let client = try KernelClient()
        let (help, published) = try client.execute("help rollout")
        #expect(types(published) == ["busy", "execute_input", "idle"])
        let page = help["payload"]?.elements?.first
        #expect(page?["data"]?["text/plain"]?.string?.contains("temperature") == true)
        let values = try client.ask(
            "execute_request",
            [
                "code": "7",
                "user_expressions": [
                    "a": "1 + 1", "b": "nothing", "c": "load model default", "d": 1,
                ],
            ]
        ).reply["user_expressions"]
        #expect(values?["a"]?["data"]?["text/plain"]?.string == "2")
        #expect(values?["b"]?["ename"]?.string == "name")
        #expect(values?["c"]?["status"]?.string == "error")
        #expect(try client.execute("_").published[2].content["data"]?["text/plain"]?.string == "7")
    }

    @Test func `an interrupt stops the work, and what waits after it is refused`() throws {
        let client = try KernelClient()
        #expect(
            try client.execute(
                "load model default; load queries summaries count=16; propose about=summaries"
            ).reply["status"]?.string == "ok")
        let work = try client.send("execute_request", ["code": "iterate 5"])
        let waiting = try client.send("execute_request", ["code": "y = 1"])
        // Control answers while the statement computes.
        let info = try client.ask("kernel_info_request", [:], on: .control).reply
        #expect(info["language_info"]?["name"]?.string == "sami")
        try client.send("interrupt_request", [:], on: .control)
        #expect(try client.receive(.control).content["status"]?.string == "ok")
        let stopped = try client.receive(.shell)
        #expect(stopped.parent == work)
        #expect(stopped.content["ename"]?.string == "interrupted")
        let refused = try client.receive(.shell)
        #expect(refused.parent == waiting)
        #expect(refused.content["status"]?.string == "error")
        #expect(try client.execute("y").reply["status"]?.string == "error")
        #expect(try client.execute("1").reply["status"]?.string == "ok")
    }

    @Test func `code is completed, inspected and tested at places of scalars`() throws {
        let client = try KernelClient()
        _ = try client.execute("zähler = 5; x = 1")
        let name = try client.ask(
            "complete_request", ["code": "\"\u{1F600}\u{301}\"; zä", "cursor_pos": 8]
        ).reply
        #expect(name["matches"] == ["zähler"])
        #expect(name["cursor_start"]?.integer == 6)
        let verb = try client.ask(
            "complete_request", ["code": "\"\u{1F600}\"; rollo", "cursor_pos": 10]
        )
        .reply
        #expect(verb["matches"] == ["rollout"])
        #expect(verb["cursor_start"]?.integer == 5)
        #expect(verb["cursor_end"]?.integer == 10)
        for (code, cursor, part) in [
            ("rollout temperature=1", 3, "rollout"), ("rollout temperature=1", 12, "temperature"),
            ("x", 1, "1"), ("softmax(", 8, "softmax"), ("iterate 1", 9, "iterate"),
        ] {
            let reply = try client.ask(
                "inspect_request",
                ["code": .string(code), "cursor_pos": .integer(cursor), "detail_level": 0]
            ).reply
            #expect(
                reply["data"]?["text/plain"]?.string?.contains(part) == true, "\(code) \(reply)")
        }
        let nothing = try client.ask("inspect_request", ["code": "", "cursor_pos": 9]).reply
        #expect(nothing["found"]?.bool == false)
        for (code, status) in [("x", "complete"), ("[1,", "incomplete"), ("x = )", "invalid")] {
            let reply = try client.ask("is_complete_request", ["code": .string(code)]).reply
            #expect(reply["status"]?.string == status)
        }
    }

    @Test func `messages without the key do nothing, and the kernel goes on`() throws {
        let client = try KernelClient()
        let request = client.parts("execute_request", ["code": "hacked = 1"])
        var generator = SeededGenerator(12)
        for number in 0..<10_000 {
            var parts = request
            switch number % 5 {
            case 0: parts[1] = []
            case 1: parts = Array(parts.prefix(Int.random(in: 0..<6, using: &generator)))
            case 2:
                let place = Int.random(in: 2..<6, using: &generator)
                parts[place].append(UInt8.random(in: 0...255, using: &generator))
            case 3:
                parts = (0..<Int.random(in: 1..<9, using: &generator)).map { _ in
                    (0..<Int.random(in: 0..<40, using: &generator)).map { _ in
                        UInt8.random(in: 0...255, using: &generator)
                    }
                }
            default: parts = Array(repeating: [1], count: 80)
            }
            if parts.isEmpty { parts = [[]] }
            let channels: [ConnectionFile.Channel] = [.shell, .control, .stdin, .shell]
            client.send(parts, on: channels[number % channels.count])
        }
        #expect(try client.execute("hacked").reply["ename"]?.string == "name")
        // The same message again is somebody who listened.
        let signed = client.parts("execute_request", ["code": "allowed = 1"])
        client.send(signed, on: .shell)
        #expect(try client.receive(.shell).content["status"]?.string == "ok")
        client.send(signed, on: .shell)
        #expect(try client.execute("8").reply["execution_count"]?.integer == 3)
        client.send([[1], [2]], on: .heartbeat)
        #expect(try client.receiveParts(.heartbeat) == [[1], [2]])
    }

    @Test(arguments: [
        #"{}"#, #"{"code":1}"#, #"{"code":"1","silent":"yes","user_expressions":[1]}"#,
        #"{"code":"1","cursor_pos":-9223372036854775808}"#, #"{"code":null,"cursor_pos":1e400}"#,
        #"{"code":"1","n":-5,"hist_access_type":"range","session":1e300}"#,
    ])
    func `requests of wrong types get a reply`(content: String) throws {
        let client = try KernelClient()
        let content = try JSON.read(content)
        for type in [
            "execute_request", "complete_request", "inspect_request", "is_complete_request",
            "history_request", "comm_info_request", "kernel_info_request",
        ] {
            #expect(try client.ask(type, content).reply["status"] != nil, "\(type)")
        }
        try client.send("nothing_request", content)
        try client.send("comm_open", content)
        #expect(try client.execute("1").reply["status"]?.string == "ok")
    }

    @Test func `quit ends the kernel after its reply`() throws {
        let client = try KernelClient()
        let reply = try client.execute("quit").reply
        #expect(reply["payload"]?.elements?.first?["source"]?.string == "ask_exit")
    }
}
