import Files
import Foundation
import HDF5Objects

/// The folder `answers`: what servers wrote, so that nothing is asked twice and a replay needs no
/// network.
///
/// One immutable file for each request, `ab/cdef….jsonl`, named by the SHA-256 of the request. It
/// has three lines of JSON: the SHA-256 of the other two, the request, the answer. The folder grows
/// only; `gc` leaves it, because nothing makes an answer again.
public struct KeptAnswers: Sendable {
    let folder: String
    let isDurable: Bool

    private func path(_ digest: String) -> String {
        "\(folder)/\(digest.prefix(2))/\(digest.dropFirst(2)).jsonl"
    }

    /// The answer to a request; nil if there is none.
    ///
    /// - Throws: `WorkspaceError.answerDamaged`, which names the file.
    public func answer(to request: String) throws -> String? {
        let digest = sha256(Data(request.utf8))
        guard let kept = try read(digest) else { return nil }
        guard kept.request.utf8.elementsEqual(request.utf8) else {
            throw WorkspaceError.answerDamaged(file: path(digest))
        }
        return kept.answer
    }

    /// Keeps an answer. The answer that is there already stays.
    ///
    /// - Parameter request: JSON in one line, as is `answer`.
    public func keep(_ answer: String, to request: String) throws {
        try keep(answer, to: request, as: sha256(Data(request.utf8)))
    }

    private func keep(_ answer: String, to request: String, as digest: String) throws {
        let path = path(digest)
        guard FileSystem.kind(of: path) == .absent else { return }
        try FileSystem.makeFolder(folder)
        try FileSystem.makeFolder(FileSystem.folder(of: path))
        guard isPlain(digest) else { throw WorkspaceError.notAFolder(folder) }
        let body = request + "\n" + answer + "\n"
        let head = "{\"sha256\":\"\(sha256(Data(body.utf8)))\"}\n"
        try FileSystem.replace(path, isDurable ? .durable : .derived) {
            try FileSystem.write(Array((head + body).utf8), to: $0)
        }
    }

    /// All requests with their answers, in the order of their digests.
    public func all() throws -> [(request: String, answer: String)] {
        try digests().compactMap { try read($0) }
    }

    /// The digests of the requests, sorted. Other files are left out.
    func digests() -> [String] {
        guard FileSystem.kind(of: folder) == .folder else { return [] }
        return FileSystem.names(in: folder).filter { $0.utf8.count == 2 }.flatMap { part in
            FileSystem.names(in: folder + "/" + part).compactMap { name in
                guard name.hasSuffix(".jsonl") else { return nil }
                let digest = part + name.dropLast(".jsonl".count)
                return isDigest(digest) ? digest : nil
            }
        }.sorted()
    }

    /// Removes the files that a process was writing when it died.
    func removeTemporaries() {
        for part in FileSystem.names(in: folder) where part.utf8.count == 2 {
            for name in FileSystem.names(in: folder + "/" + part) where name.contains(".new-") {
                FileSystem.removeTree(folder + "/" + part + "/" + name)
            }
        }
    }

    /// The bytes of the file of one request.
    func bytes(_ digest: String) throws -> Data { try UntrustedFile(path(digest)).readAll() }

    /// The file that must be missing or be replaced by hand; nil if it is sound.
    func damage(_ digest: String) -> String? {
        (try? read(digest)) == nil ? path(digest) : nil
    }

    private func read(_ digest: String) throws -> (request: String, answer: String)? {
        guard isPlain(digest), FileSystem.kind(of: path(digest)) != .absent else { return nil }
        guard FileSystem.kind(of: path(digest)) == .file,
            let kept = KeptAnswers.parts(of: try bytes(digest)),
            sha256(Data(kept.request.utf8)) == digest
        else { throw WorkspaceError.answerDamaged(file: path(digest)) }
        return kept
    }

    /// Whether no folder on the way is a link, which would lead out of the workspace.
    private func isPlain(_ digest: String) -> Bool {
        FileSystem.kind(of: folder) == .folder
            && FileSystem.kind(of: FileSystem.folder(of: path(digest))) == .folder
    }

    /// Nil if the lines are not those that `keep` writes.
    private static func parts(of bytes: Data) -> (request: String, answer: String)? {
        let lines = bytes.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
        guard lines.count == 4, lines[3].isEmpty else { return nil }
        let body = Data(lines[1] + [UInt8(ascii: "\n")] + lines[2] + [UInt8(ascii: "\n")])
        guard String(decoding: lines[0], as: UTF8.self) == "{\"sha256\":\"\(sha256(body))\"}",
            let request = String(validating: lines[1], as: UTF8.self),
            let answer = String(validating: lines[2], as: UTF8.self)
        else { return nil }
        return (request, answer)
    }

    /// Takes over a file of another workspace.
    ///
    /// - Throws: `ObjectFault.checksum` if it is none of this form.
    func takeOver(_ bytes: Data, named name: String) throws {
        guard let kept = KeptAnswers.parts(of: bytes), sha256(Data(kept.request.utf8)) == name
        else { throw ObjectFault.checksum(name) }
        try keep(kept.answer, to: kept.request, as: name)
    }
}

extension Workspace {
    /// What servers wrote in this workspace.
    public var answers: KeptAnswers {
        KeptAnswers(folder: path + "/answers", isDurable: isDurable)
    }
}
