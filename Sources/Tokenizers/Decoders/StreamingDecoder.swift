/// Decodes ids one at a time, for text that is shown during generation. A character that spans
/// several tokens is returned when it is complete.
///
/// ```swift
/// var decoder = tokenizer.streamingDecoder()
/// for id in ids { print(decoder.append(id), terminator: "") }
/// print(decoder.finish())
/// ```
///
/// Together the parts are the decoded text of all ids, with one exception: bytes that do not form
/// characters. A decoder that judges a run of bytes as a whole could change text that was already
/// shown. So here complete characters of such a run remain, and each remaining byte becomes U+FFFD.
public struct StreamingDecoder: Sendable {
    private let core: TokenizerCore
    private let skipSpecial: Bool
    /// The last groups shown; kept because a decoder treats the first tokens of a text differently.
    private var shown: [Group] = []
    private var pending = Group()

    private struct Group: Sendable {
        var ids: [Int32] = []
        /// The bytes that the ids name one by one, such as `<0xE2>`.
        var bytes: [UInt8] = []
        var isBroken = false
    }

    init(_ core: TokenizerCore, skipSpecial: Bool) {
        (self.core, self.skipSpecial) = (core, skipSpecial)
    }

    /// The text that the next id completes; empty if a character is incomplete.
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

    /// The rest at the end: an incomplete character as U+FFFD.
    public mutating func finish() -> String {
        core.namesBytes ? releaseBroken() : release(all: true)
    }

    /// A character has at most as many tokens as bytes, so bytes that wait longer are not UTF-8.
    private static let longestWait = 8
    /// Number of groups of tokens to decode again before the next group.
    private static let longestMemory = 4

    /// Whether the bytes begin a character and this can be its next byte.
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

    /// Bytes that cannot be part of a character, one U+FFFD each.
    private mutating func releaseBroken() -> String {
        guard !pending.ids.isEmpty else { return "" }
        let text = String(repeating: "\u{FFFD}", count: pending.ids.count)
        pending.isBroken = true
        remember()
        return text
    }

    private mutating func release(all: Bool) -> String {
        guard !pending.ids.isEmpty else { return "" }
        // A run of bytes after an invalid one would be invalid as a whole.
        if shown.last?.isBroken == true, !pending.bytes.isEmpty { shown.removeAll() }
        let context = shown.flatMap(\.ids)
        let before = core.decode(context, skipSpecial: skipSpecial)
        let after = core.decode(context + pending.ids, skipSpecial: skipSpecial)
        if !all, after.unicodeScalars.last == "\u{FFFD}" { return "" }
        let alone = core.decode(pending.ids, skipSpecial: skipSpecial)
        remember()
        // Invalid bytes may change text that was already shown; then the rest is decoded on its
        // own.
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
    /// A decoder for ids that arrive one by one.
    public func streamingDecoder(skipSpecial: Bool = true) -> StreamingDecoder {
        StreamingDecoder(core, skipSpecial: skipSpecial)
    }
}
