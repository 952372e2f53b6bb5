import Foundation
import TestSupport
import Testing

@testable import Commands
@testable import Sessions
@testable import Values

/// A model of a checkpoint is mapped: its weights are read when a computation needs them, and not
/// before, so that a model of any size loads at once. (The workspace stores a smaller model than
/// `snapshot_limit`, and reads it for that.)
@Suite struct MappedModelTests {
    @Test func `loading, describing and showing a model reads none of its weights`() throws {
        let bench = try Workbench(access: .readWrite)
        try bench.output(
            """
            set snapshot_limit=1MB
            train tokenizer vocabulary=300 documents=50 seed=1
            new model family=llama layers=2 width=512 heads=8 context=64 seed=3
            export model m
            load model m
            """)
        let file = bench.folder + "/m/model.safetensors"
        let size = try #require(
            try FileManager.default.attributesOfItem(atPath: file)[.size] as? Int)
        try bench.output("describe model; show model; model.parameters; ls; history; m = model")
        // A page fault maps 64 KiB of a file that the page cache holds; the header is one such.
        #expect(size > 20 << 20)
        let touched = try resident(file)
        #expect(touched < 1 << 20, "\(touched) of \(size) bytes")
        try bench.output("model.norm")
        #expect(try resident(file) > size / 2, "a norm reads all weights")
    }

    /// Bytes of the mappings of a file that the process has read.
    private func resident(_ path: String) throws -> Int {
        let real = URL(fileURLWithPath: path).resolvingSymlinksInPath().path
        var (total, isMapping, mappings) = (0, false, 0)
        // A file of /proc has no size, so it is read to its end.
        let file = try #require(FileHandle(forReadingAtPath: "/proc/self/smaps"))
        let text = String(decoding: try #require(try file.readToEnd()), as: UTF8.self)
        for line in text.split(separator: "\n") {
            let words = line.split(separator: " ", omittingEmptySubsequences: true)
            if words.first?.hasSuffix(":") == false {
                isMapping = line.hasSuffix(real)
                mappings += isMapping ? 1 : 0
            } else if isMapping, words.first == "Rss:", words.count > 1 {
                total += 1024 * (Int(words[1]) ?? 0)
            }
        }
        try #require(mappings > 0, "\(real) is not mapped")
        return total
    }
}
