import FlyingFox
import Foundation

/// The body of a request, which is read once and to its end.
///
/// FlyingFox leaves the rest of a long body in the connection, where it would be read as the next
/// request: a page of another host could so send one that names this host.
struct RequestBody {
    /// A body of more bytes is refused.
    static let longest = 16 << 20
    /// So much of a refused body is read, so that its client sends all of it and hears the refusal.
    static let longestRefused = 4 * longest

    private var parts: HTTPBodySequence.Iterator
    private var count = 0
    /// Where a body that is not well-formed ends, nobody knows.
    private var isBroken = false

    init(of request: HTTPRequest) { parts = request.bodySequence.makeAsyncIterator() }

    /// The bytes.
    mutating func read() async throws(Refusal) -> Data {
        var data = Data()
        while let part = await next() {
            data.append(part)
            guard count <= RequestBody.longest else {
                throw Refusal(
                    "the body is longer than \(RequestBody.longest >> 20) MB", status: 413)
            }
        }
        if isBroken { throw Refusal("the body is not well-formed, or ends early") }
        return data
    }

    /// Reads the rest without keeping it.
    ///
    /// - Returns: whether the next request begins after it. If not, the connection must end.
    mutating func skip() async -> Bool {
        while count <= RequestBody.longestRefused, await next() != nil {}
        return !isBroken && count <= RequestBody.longestRefused
    }

    /// Nil at the end, and where the body breaks.
    private mutating func next() async -> Data? {
        guard !isBroken else { return nil }
        do {
            let part = try await parts.next()
            count += part?.count ?? 0
            return part
        } catch {
            isBroken = true
            return nil
        }
    }
}
