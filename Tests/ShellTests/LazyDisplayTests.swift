import Foundation
import Rendering
import Synchronization
import Testing

@testable import Sessions
@testable import Shell
@testable import Values

/// A value that counts how often it is asked for each of its forms.
private struct CountedObject: SessionObject {
    final class Calls: Sendable {
        let documents = Atomic(0)
        let json = Atomic(0)
    }

    static let kind = "counted"
    static let fields: [Field<CountedObject>] = []
    let calls = Calls()
    let summary = "counted"

    func document(_ appearance: Appearance) -> Document {
        calls.documents.add(1, ordering: .relaxed)
        return Document("shown")
    }

    var jsonValue: Value {
        calls.json.add(1, ordering: .relaxed)
        return .list([.text("plain")])
    }

    /// How often a document and how often JSON was made.
    var counts: [Int] {
        [calls.documents.load(ordering: .relaxed), calls.json.load(ordering: .relaxed)]
    }
}

@Suite struct LazyDisplayTests {
    /// The counts of a value that a statement gives, and the standard output.
    private func run(_ source: String, isJSON: Bool) throws -> (counts: [Int], output: String) {
        let session = try testSession()
        let value = CountedObject()
        session.lastResult = .object(value)
        let output = Pipe()
        let terminal = Terminal(
            input: 0, output: output.fileHandleForWriting.fileDescriptor, errors: 2,
            environment: ["LC_ALL": "C.UTF-8"])
        var options = Console.Options()
        options.isJSON = isJSON
        let shell = Console(session: session, terminal: terminal, options: options)
        #expect(shell.run(Session.parse(source)) == .fine)
        output.fileHandleForWriting.closeFile()
        let data = output.fileHandleForReading.readDataToEndOfFile()
        return (value.counts, String(decoding: data, as: UTF8.self))
    }

    @Test("for people a value makes its text once, and no JSON and HTML")
    func text() throws {
        let (counts, output) = try run("_", isJSON: false)
        #expect(counts == [1, 0])
        #expect(output == "shown\n")
        #expect(try run("time _", isJSON: false).counts == [1, 0])
    }

    @Test("for programs a value makes its JSON once, and no text")
    func json() throws {
        for (source, value) in [("_", "[\"plain\"]"), ("[_, 1]", "[[\"plain\"],1]")] {
            let (counts, output) = try run(source, isJSON: true)
            #expect(counts == [0, 1], "\(source)")
            #expect(output.contains("\"value\":\(value),\"seconds\":"), "\(output)")
        }
    }

    @Test("hidden output makes neither, but JSON has it all the same")
    func hidden() throws {
        #expect(try run("_;", isJSON: false).counts == [0, 0])
        #expect(try run("_;", isJSON: true).counts == [0, 1])
    }
}
