/// Decodes ids one at a time, for text that is shown while it is made: a character split over
/// tokens comes out once it is whole.
///
/// ```swift
/// var decoder = tokenizer.streamingDecoder()
/// for id in ids { print(decoder.append(id), terminator: "") }
/// print(decoder.finish())
/// ```
///
/// All parts together are the decoded text of all ids.
public struct StreamingDecoder: Sendable {
    private let core: TokenizerCore
    private let skipSpecial: Bool
    /// What was shown last, kept because a decoder may treat the first token of a text in its own way.
    private var shown: [Int32] = []
    private var pending: [Int32] = []

    init(_ core: TokenizerCore, skipSpecial: Bool) {
        (self.core, self.skipSpecial) = (core, skipSpecial)
    }

    /// The text that the next id completes; empty while a character is incomplete.
    public mutating func append(_ id: Int32) -> String {
        if core.token(id) == nil || (skipSpecial && core.specialIDs.contains(id)) { return "" }
        pending.append(id)
        return release(all: pending.count > Self.longestWait)
    }

    /// What is left at the end: an incomplete character as U+FFFD.
    public mutating func finish() -> String {
        release(all: true)
    }

    /// No character takes more tokens than it has bytes; what waits longer is not UTF-8.
    private static let longestWait = 8

    private mutating func release(all: Bool) -> String {
        guard !pending.isEmpty else { return "" }
        let before = core.decode(shown, skipSpecial: skipSpecial)
        let after = core.decode(shown + pending, skipSpecial: skipSpecial)
        if !all, after.unicodeScalars.last == "\u{FFFD}" { return "" }
        shown = pending
        pending = []
        return String(decoding: Array(after.utf8.dropFirst(before.utf8.count)), as: UTF8.self)
    }
}

extension Tokenizer {
    /// A decoder for ids that come one by one.
    public func streamingDecoder(skipSpecial: Bool = true) -> StreamingDecoder {
        StreamingDecoder(core, skipSpecial: skipSpecial)
    }
}
