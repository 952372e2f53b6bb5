import JSON
import Testing

@testable import JupyterKernel

@Suite struct MessageTests {
    private let signer = Signer(key: "secret")
    private let execute = Message(
        "execute_request", [.init("code", "1"), .init("text", "ä\u{0}")], to: [[7]], parent: [:])

    @Test func `signatures are those of RFC 4231, test case 2`() {
        let text = Array("what do ya want for nothing?".utf8)
        let wanted = "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"
        let signer = Signer(key: "Jefe")
        for cut in [0, 5, text.count] {
            let parts = [Array(text[..<cut]), [], Array(text[cut...])]
            #expect(String(decoding: signer.signature(of: parts), as: UTF8.self) == wanted)
            #expect(signer.accepts(Array(wanted.utf8), of: parts))
            #expect(!signer.accepts(Array(wanted.dropLast().utf8) + [0x30], of: parts))
            #expect(!signer.accepts([], of: parts))
        }
        #expect(Signer(key: "").signature(of: [text]).isEmpty)
    }

    @Test func `a message comes back as it was`() throws {
        let read = try Message(execute.parts(signer), signer)
        #expect(read.addresses == [[7]])
        #expect(read.type == "execute_request")
        #expect(read.header == execute.header)
        #expect(read.content == execute.content)
        #expect(read.header["version"]?.string == "5.4")
        let date = try #require(read.header["date"]?.string)
        #expect(try #/\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d+Z/#.wholeMatch(in: date) != nil)
    }

    @Test func `what is wrong with a message is said`() throws {
        var parts = execute.parts(signer)
        func fault(_ parts: [[UInt8]], _ signer: Signer? = nil) -> Message.Fault? {
            do throws(Message.Fault) {
                _ = try Message(parts, signer ?? self.signer)
                return nil
            } catch {
                return error
            }
        }
        #expect(fault(parts) == nil)
        for count in 0..<2 { #expect(fault(Array(parts.prefix(count))) == .noDelimiter) }
        for count in 2..<7 { #expect(fault(Array(parts.prefix(count))) == .tooFewParts) }
        #expect(fault(parts + [[1]]) == nil)
        #expect(fault(parts, Signer(key: "other")) == .wrongSignature)
        #expect(fault(parts, Signer(key: "")) == nil)
        parts[6].append(0x20)
        #expect(fault(parts) == .wrongSignature)
        let open = Signer(key: "")
        for (place, bytes) in [(3, "[]"), (4, "1"), (6, "{"), (5, "\"a\"")] {
            var parts = execute.parts(open)
            parts[place] = Array(bytes.utf8)
            #expect(fault(parts, open) == .notJSON)
        }
        for header in ["{}", #"{"msg_type":1}"#, #"{"msg_type":""}"#] {
            var parts = execute.parts(open)
            parts[3] = Array(header.utf8)
            #expect(fault(parts, open) == .noType)
        }
    }

    @Test func `a message that comes again is known, the oldest are forgotten`() {
        var seen = SeenSignatures()
        func isNew(_ number: Int) -> Bool {
            var message = execute
            message.addresses = []
            return seen.insert([[], Array("\(number)".utf8)], of: message)
        }
        #expect(isNew(0))
        #expect(!isNew(0))
        for number in 1...SeenSignatures.capacity { #expect(isNew(number)) }
        #expect(!isNew(SeenSignatures.capacity))
        #expect(isNew(0))
    }
}
