import Files
import Foundation
import Glibc
import Testing

/// A folder of its own for every test, removed afterwards.
private final class Scratch {
    let path: String

    init() throws {
        path =
            FileManager.default.temporaryDirectory
            .appending(path: "files-\(UUID().uuidString)").path
        try FileSystem.makeFolder(path)
    }

    deinit { FileSystem.removeTree(path) }

    subscript(name: String) -> String { path + "/" + name }

    func text(_ name: String) throws -> String {
        String(decoding: try RegularFile(self[name]).readAll(), as: UTF8.self)
    }
}

@Suite struct FilesTests {
    private let scratch: Scratch

    init() throws { scratch = try Scratch() }

    @Test(arguments: [Durability.durable, .derived])
    func `a file appears when it is finished, whole, and replaces the old one`(
        _ durability: Durability
    ) throws {
        try FileWriter.write(Data("old".utf8), to: scratch["a"], durability)
        let writer = try FileWriter(scratch["a"], durability)
        try writer.write(Data("ne".utf8))
        try writer.write(Data("w".utf8))
        #expect(try scratch.text("a") == "old")
        try writer.finish()
        #expect(try scratch.text("a") == "new")
        #expect(FileSystem.names(in: scratch.path) == ["a"])
    }

    @Test func `a new file has the permissions of the old one, and a link stays one`() throws {
        try FileWriter.write(Data("old".utf8), to: scratch["a"])
        chmod(scratch["a"], 0o600)
        symlink("a", scratch["link"])
        try FileWriter.write(Data("new".utf8), to: scratch["link"])
        #expect(try scratch.text("a") == "new")
        #expect(FileSystem.kind(of: scratch["link"]) == .other)
        var status = stat()
        #expect(stat(scratch["a"], &status) == 0 && status.st_mode & 0o777 == 0o600)
        // One that leads nowhere is replaced.
        symlink("absent", scratch["b"])
        try FileWriter.write(Data("new".utf8), to: scratch["b"])
        #expect(FileSystem.kind(of: scratch["b"]) == .file)
    }

    @Test func `files that belong together are replaced together or not at all`() throws {
        for name in ["a", "b"] { try FileWriter.write(Data("old".utf8), to: scratch[name]) }
        chmod(scratch["a"], 0o600)
        func writers(_ names: [String]) throws -> [FileWriter] {
            try names.map {
                let writer = try FileWriter(scratch[$0])
                try writer.write(Data("new".utf8))
                try writer.complete()
                return writer
            }
        }
        try FileSystem.makeFolder(scratch["folder"])
        #expect(throws: FileError(.write, scratch["folder"], .isFolder)) {
            try FileWriter.finish(writers(["a", "folder"]), insteadOf: [scratch["a"]])
        }
        // A key that cannot be set aside brings back the one before it.
        #expect(throws: FileError.self) {
            try FileWriter.finish(writers(["a"]), insteadOf: [scratch["a"], scratch["b/key"]])
        }
        #expect(try scratch.text("a") == "old")
        #expect(FileSystem.names(in: scratch.path).sorted() == ["a", "b", "folder"])
        try FileWriter.write(Data("older".utf8), to: scratch["key"])
        try FileWriter.finish(
            writers(["a", "b", "c"]), insteadOf: [scratch["a"], scratch["key"], scratch["absent"]])
        for name in ["a", "b", "c"] { #expect(try scratch.text(name) == "new") }
        var status = stat()
        #expect(stat(scratch["a"], &status) == 0 && status.st_mode & 0o777 == 0o600)
        #expect(FileSystem.names(in: scratch.path).sorted() == ["a", "b", "c", "folder"])
    }

    @Test func `a pipe is not replaced by a file`() throws {
        mkfifo(scratch["a"], 0o600)
        #expect(throws: FileError(.write, scratch["a"], .notRegular)) {
            try FileWriter.write(Data("x".utf8), to: scratch["a"])
        }
        #expect(FileSystem.names(in: scratch.path) == ["a"])
    }

    @Test func `nothing is left of a file that is not finished`() throws {
        do {
            let writer = try FileWriter(scratch["a"])
            try writer.write(Data("x".utf8))
        }
        #expect(FileSystem.names(in: scratch.path).isEmpty)
    }

    /// A failed rename once left its temporary file in the folder.
    @Test func `nothing is left of a file that cannot take its place`() throws {
        try FileSystem.makeFolder(scratch["a"])
        try FileSystem.write([1], to: scratch["a/b"])
        let writer = try FileWriter(scratch["a"])
        try writer.write(Data("x".utf8))
        #expect(throws: FileError(.write, scratch["a"], .isFolder)) { try writer.finish() }
        #expect(FileSystem.names(in: scratch.path) == ["a"])
        #expect(throws: FileError.self) {
            try FileSystem.replace(scratch["a"]) { try FileSystem.write([2], to: $0) }
        }
        struct Failure: Error {}
        #expect(throws: Failure.self) {
            try FileSystem.replace(scratch["c"]) { temporary in
                try FileSystem.write([2], to: temporary)
                throw Failure()
            }
        }
        #expect(FileSystem.names(in: scratch.path) == ["a"])
    }

    @Test func `what is not a plain file is refused by name`() throws {
        mkfifo(scratch["pipe"], 0o600)
        try FileSystem.write([], to: scratch["empty"])
        symlink(scratch["empty"], scratch["link"])
        func reason(_ body: () throws -> Void) -> FileError.Reason? {
            do {
                try body()
                return nil
            } catch {
                return (error as? FileError)?.reason
            }
        }
        #expect(reason { _ = try RegularFile(scratch["no"]) } == .absent)
        #expect(reason { _ = try RegularFile(scratch.path) } == .isFolder)
        #expect(reason { _ = try RegularFile(scratch["pipe"]) } == .notRegular)
        #expect(reason { _ = try MappedFile(scratch["empty"]) } == .empty)
        #expect(reason { _ = try RegularFile(scratch["link"]) } == nil)
        #expect(
            reason { _ = try RegularFile(scratch["link"], followsLinks: false) } == .notRegular)
    }

    @Test func `ranges are checked against the size before anything is read`() throws {
        try FileSystem.write(Array(0..<100), to: scratch["a"])
        let file = try RegularFile(scratch["a"])
        #expect(try file.read(at: 10, count: 3) == Data([10, 11, 12]))
        #expect(try file.read(at: 100, count: 0).isEmpty)
        for (place, count) in [(98, 3), (-1, 2), (0, -1), (101, 0), (1, .max)] {
            #expect(throws: FileError.self) { try file.read(at: place, count: count) }
        }
        let mapped = try MappedFile(file)
        #expect(Array(mapped.bytes(98..<100)) == [98, 99] && mapped.count == 100)
        let copied = MappedFile(copying: Data([7, 8]))
        withExtendedLifetime((mapped, copied)) {
            #expect(Array(copied.bytes(0..<2)) == [7, 8] && copied.count == 2)
        }
    }

    @Test func `an error names the file and what is wrong`() {
        #expect(
            FileError(.read, "/a/b", .tooShort(expected: 9, found: 3)).description
                == "'/a/b' cannot be read: it has 3 bytes where at least 9 were expected.")
        #expect(
            FileError(.write, "/a/b", .init(errno: ENOSPC)).description
                == "'/a/b' cannot be written: the disk is full.")
    }
}
