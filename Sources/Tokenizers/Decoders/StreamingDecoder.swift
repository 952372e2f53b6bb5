/// Decodes ids one at a time, for text that is shown while it is made: a character split over
/// tokens comes out once it is whole.
///
/// ```swift
/// var decoder = tokenizer.streamingDecoder()
/// for id in ids { print(decoder.append(id), terminator: "") }
/// print(decoder.finish())
/// ```
///
/// All parts together are the decoded text of all ids. Only bytes that make no character may differ:
/// a decoder that judges a run of bytes as a whole would take back what was shown already, so here
/// the characters of such a run that are whole stay, and each byte that belongs to none is a U+FFFD.
public struct StreamingDecoder: Sendable {
    private let core: TokenizerCore
    private let skipSpecial: Bool
    /// What was shown last, kept because a decoder treats the first tokens of a text in its own way.
    private var shown: [Group] = []
    private var pending = Group()

    private struct Group: Sendable {
        var ids: [Int32] = []
        /// The bytes the ids name one by one, as `<0xE2>` does.
        var bytes: [UInt8] = []
        var isBroken = false
    }

    init(_ core: TokenizerCore, skipSpecial: Bool) {
        (self.core, self.skipSpecial) = (core, skipSpecial)
    }

    /// The text that the next id completes; empty while a character is incomplete.
    public mutating func append(_ id: Int32) -> String {
        guard let token = core.token(id), !(skipSpecial && core.specialIDs.contains(id)) else {
            return ""
        }
        guard core.namesBytes else {
            pending.ids.append(id)
            return release(all: pending.ids.count > Self.longestWait)
        }
        guard let byte = ByteFallbackDecoder.byte(token) else {
            let text = releaseBroken()
            pending.ids = [id]
            return text + release(all: true)
        }
        var text = ""
        if !Self.mayContinue(pending.bytes, with: byte) { text = releaseBroken() }
        pending.ids.append(id)
        pending.bytes.append(byte)
        guard let lead = pending.bytes.first else { return text }
        if lead >= 0x80, !(0xC2...0xF4).contains(lead) { return text + releaseBroken() }
        if pending.bytes.count >= characterLength(lead) { text += release(all: true) }
        return text
    }

    /// What is left at the end: an incomplete character as U+FFFD.
    public mutating func finish() -> String {
        core.namesBytes ? releaseBroken() : release(all: true)
    }

    /// No character takes more tokens than it has bytes; what waits longer is not UTF-8.
    private static let longestWait = 8
    /// How many groups of tokens are decoded again before the next.
    private static let longestMemory = 4

    /// Whether the bytes are the beginning of a character and this may be its next byte.
    private static func mayContinue(_ bytes: [UInt8], with byte: UInt8) -> Bool {
        guard let lead = bytes.first else { return true }
        guard bytes.count == 1 else { return byte & 0xC0 == 0x80 }
        return switch lead {
        case 0xE0: (0xA0...0xBF).contains(byte)
        case 0xED: (0x80...0x9F).contains(byte)
        case 0xF0: (0x90...0xBF).contains(byte)
        case 0xF4: (0x80...0x8F).contains(byte)
        default: byte & 0xC0 == 0x80
        }
    }

    /// Bytes that no character needs, one U+FFFD each.
    private mutating func releaseBroken() -> String {
        guard !pending.ids.isEmpty else { return "" }
        let text = String(repeating: "\u{FFFD}", count: pending.ids.count)
        pending.isBroken = true
        remember()
        return text
    }

    private mutating func release(all: Bool) -> String {
        guard !pending.ids.isEmpty else { return "" }
        // A run of bytes behind a broken one would be broken too, all of it.
        if shown.last?.isBroken == true, !pending.bytes.isEmpty { shown.removeAll() }
        let context = shown.flatMap(\.ids)
        let before = core.decode(context, skipSpecial: skipSpecial)
        let after = core.decode(context + pending.ids, skipSpecial: skipSpecial)
        if !all, after.unicodeScalars.last == "\u{FFFD}" { return "" }
        let alone = core.decode(pending.ids, skipSpecial: skipSpecial)
        remember()
        // Broken bytes may take back what was shown already; then the rest is shown by itself.
        guard after.utf8.starts(with: before.utf8) else { return alone }
        return String(decoding: Array(after.utf8.dropFirst(before.utf8.count)), as: UTF8.self)
    }

    private mutating func remember() {
        if pending.isBroken { shown.removeAll() }
        if shown.count >= Self.longestMemory { shown.removeFirst() }
        shown.append(pending)
        pending = Group()
    }
}

extension Tokenizer {
    /// A decoder for ids that come one by one.
    public func streamingDecoder(skipSpecial: Bool = true) -> StreamingDecoder {
        StreamingDecoder(core, skipSpecial: skipSpecial)
    }
}
