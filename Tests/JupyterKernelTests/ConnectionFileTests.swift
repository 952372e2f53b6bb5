import Testing

@testable import JupyterKernel

@Suite struct ConnectionFileTests {
    private static let ports =
        #""shell_port":1,"control_port":2,"stdin_port":3,"iopub_port":4,"hb_port":5"#

    private func read(_ text: String) throws(KernelError) -> ConnectionFile {
        try ConnectionFile(Array(text.utf8), path: "c.json")
    }

    @Test func `addresses follow the transport`() throws {
        let file = try read(
            #"{"ip":"::1","key":"k","transport":"tcp","signature_scheme":"hmac-sha256",\#(Self.ports)}"#
        )
        #expect(file.key == "k")
        #expect(file.address(of: .heartbeat) == "tcp://::1:5")
        let local = try read(#"{"transport":"ipc","ip":"/tmp/x",\#(Self.ports)}"#)
        #expect(local.address(of: .shell) == "ipc:///tmp/x-1")
        #expect(local.key.isEmpty)
    }

    @Test(arguments: [
        ("", "line 1"), ("[]", "it is not an object"), ("{}", "`shell_port` is missing"),
        (#"{\#(ports),"transport":"udp"}"#, #"transport "udp" is neither"#),
        (#"{\#(ports),"transport":1}"#, "`transport` is not a text"),
        (#"{\#(ports),"signature_scheme":"hmac-md5"}"#, #""hmac-md5" are not known"#),
        (#"{\#(ports),"key":null}"#, "`key` is not a text"),
        (#"{"shell_port":0}"#, "`shell_port` is 0"), (#"{"shell_port":65536}"#, "is 65536"),
        (#"{"shell_port":"1"}"#, #"`shell_port` is "1""#),
        (#"{"shell_port":1.5}"#, "`shell_port` is 1.5"),
        ("{\"a\":" + String(repeating: "[", count: 9), "line 1"),
    ])
    func `a file that is none is refused by its reason`(text: String, reason: String) {
        #expect {
            try read(text)
        } throws: { error in
            "\(error)".hasPrefix("c.json: not a connection file of Jupyter: ")
                && "\(error)".contains(reason)
        }
    }

    @Test func `a missing file is named`() {
        #expect {
            try ConnectionFile("/nowhere/c.json")
        } throws: { "\($0)".hasPrefix("/nowhere/c.json: ") }
    }
}
