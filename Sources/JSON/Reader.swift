extension JSON {
    /// Reads one document. Time and memory are linear in its length. A byte order mark before it is
    /// skipped.
    ///
    /// The text may come from a stranger: depth and size are limited, and no content can crash the
    /// reader. Throws with line and column if the text is not JSON.
    public static func read(
        _ bytes: UnsafeRawBufferPointer, limits: Limits = Limits(), repairs: Repairs = []
    ) throws(Problem) -> JSON {
        var reader = Reader(
            bytes: bytes.bindMemory(to: UInt8.self), limits: limits, repairs: repairs)
        do {
            return try reader.document()
        } catch {
            throw reader.problem(error)
        }
    }

    public static func read(
        _ bytes: some Collection<UInt8>, limits: Limits = Limits(), repairs: Repairs = []
    ) throws(Problem) -> JSON {
        let result = bytes.withContiguousStorageIfAvailable { bytes in
            Result { () throws(Problem) in
                try read(UnsafeRawBufferPointer(bytes), limits: limits, repairs: repairs)
            }
        }
        if let result { return try result.get() }
        return try read(Array(bytes), limits: limits, repairs: repairs)
    }

    public static func read(
        _ text: String, limits: Limits = Limits(), repairs: Repairs = []
    ) throws(Problem) -> JSON {
        try read(text.utf8, limits: limits, repairs: repairs)
    }
}

extension JSON {
    struct Reader {
        /// Converting longer numbers takes quadratic time.
        static let longestNumber = 1000

        private let bytes: UnsafeBufferPointer<UInt8>
        private let limits: Limits
        private let repairs: Repairs
        private var place = 0

        init(bytes: UnsafeBufferPointer<UInt8>, limits: Limits, repairs: Repairs) {
            (self.bytes, self.limits, self.repairs) = (bytes, limits, repairs)
        }

        /// A fault at the present place.
        func problem(_ fault: Fault) -> Problem {
            let before = bytes[..<min(place, bytes.count)]
            let start = before.lastIndex(of: 0x0A).map { $0 + 1 } ?? 0
            // Every byte that does not continue a code point begins one.
            let column = 1 + before[start...].count { $0 & 0xC0 != 0x80 }
            return Problem(line: 1 + before.count { $0 == 0x0A }, column: column, fault: fault)
        }

        mutating func document() throws(Fault) -> JSON {
            guard bytes.count <= limits.bytes else { throw .tooLarge(limit: limits.bytes) }
            guard String(validating: bytes, as: UTF8.self) != nil else { throw notUTF8() }
            if bytes.starts(with: [0xEF, 0xBB, 0xBF]) { place = 3 }
            let value = try value(depth: 0)
            skipBlanks()
            guard place == bytes.count else { throw unexpected(.textAfterEnd) }
            return value
        }

        private var next: UInt8? { place < bytes.count ? bytes[place] : nil }

        private mutating func skipBlanks() {
            while place < bytes.count {
                switch bytes[place] {
                case 0x20, 0x0A, 0x0D, 0x09: place += 1
                default: return
                }
            }
        }

        private mutating func take(_ byte: UInt8) -> Bool {
            guard place < bytes.count, bytes[place] == byte else { return false }
            place += 1
            return true
        }

        /// The fault for the next input, if it differs from the expected one.
        private func unexpected(_ fault: Fault) -> Fault {
            place < bytes.count ? fault : .endsEarly
        }

        /// Moves to the first byte that is not UTF-8.
        private mutating func notUTF8() -> Fault {
            func length(at place: Int) -> Int? {
                (1...4).first { length in
                    guard place + length <= bytes.count else { return false }
                    let part = UnsafeBufferPointer(rebasing: bytes[place..<place + length])
                    return String(validating: part, as: UTF8.self) != nil
                }
            }
            while place < bytes.count, let length = length(at: place) { place += length }
            return next.map { .notUTF8(byte: $0) } ?? .endsEarly
        }

        private mutating func value(depth: Int) throws(Fault) -> JSON {
            skipBlanks()
            switch next {
            case UInt8(ascii: "\""): return .string(try string())
            case UInt8(ascii: "{"): return .object(try members(depth: depth + 1))
            case UInt8(ascii: "["): return .array(try elements(depth: depth + 1))
            case UInt8(ascii: "t"): return try word("true", .bool(true))
            case UInt8(ascii: "f"): return try word("false", .bool(false))
            case UInt8(ascii: "n"): return try word("null", .null)
            default: return .number(try number())
            }
        }

        private mutating func word(_ word: StaticString, _ value: JSON) throws(Fault) -> JSON {
            let end = place + word.utf8CodeUnitCount
            let isThere = word.withUTF8Buffer { bytes[place...].starts(with: $0) }
            guard isThere else { throw .noValue }
            place = end
            return value
        }

        private mutating func elements(depth: Int) throws(Fault) -> [JSON] {
            guard depth <= limits.depth else { throw .tooDeep(limit: limits.depth) }
            place += 1
            skipBlanks()
            if take(UInt8(ascii: "]")) { return [] }
            var elements: [JSON] = []
            while true {
                elements.append(try value(depth: depth))
                skipBlanks()
                if take(UInt8(ascii: ",")) { continue }
                guard take(UInt8(ascii: "]")) else { throw unexpected(.noComma(or: "]")) }
                return elements
            }
        }

        private mutating func members(depth: Int) throws(Fault) -> [Member] {
            guard depth <= limits.depth else { throw .tooDeep(limit: limits.depth) }
            place += 1
            skipBlanks()
            if take(UInt8(ascii: "}")) { return [] }
            var members: [Member] = []
            var keys = KeyIndex()
            while true {
                skipBlanks()
                let start = place
                guard next == UInt8(ascii: "\"") else { throw unexpected(.noKey) }
                let key = try string()
                let earlier = keys.insert(key, into: members)
                if earlier != nil, !repairs.contains(.repeatedKeys) {
                    place = start
                    throw .repeatedKey(key)
                }
                skipBlanks()
                guard take(UInt8(ascii: ":")) else { throw unexpected(.noColon) }
                let value = try value(depth: depth)
                if let earlier {
                    members[earlier].value = value
                } else {
                    members.append(Member(key, value))
                }
                skipBlanks()
                if take(UInt8(ascii: ",")) { continue }
                guard take(UInt8(ascii: "}")) else { throw unexpected(.noComma(or: "}")) }
                return members
            }
        }

        /// The digits of a number, in the form that JSON prescribes.
        private mutating func number() throws(Fault) -> String {
            let start = place
            for word in ["NaN", "Infinity", "-Infinity"]
            where bytes[place...].starts(with: word.utf8) {
                throw .pythonNumber(word)
            }
            _ = take(UInt8(ascii: "-"))
            let isZero = next == UInt8(ascii: "0")
            let first = place
            skipDigits()
            guard place > first else { throw unexpected(.noValue) }
            guard !isZero || place == first + 1 else { throw .notANumber }
            if take(UInt8(ascii: ".")) { try digits() }
            if take(UInt8(ascii: "e")) || take(UInt8(ascii: "E")) {
                if !take(UInt8(ascii: "-")) { _ = take(UInt8(ascii: "+")) }
                try digits()
            }
            guard place - start <= Self.longestNumber else { throw .numberTooLong }
            return String(
                decoding: UnsafeBufferPointer(rebasing: bytes[start..<place]), as: UTF8.self)
        }

        private mutating func skipDigits() {
            while place < bytes.count, bytes[place] &- 0x30 < 10 { place += 1 }
        }

        private mutating func digits() throws(Fault) {
            let start = place
            skipDigits()
            guard place > start else { throw unexpected(.notANumber) }
        }
    }
}

// MARK: Strings

extension JSON.Reader {
    private mutating func string() throws(JSON.Fault) -> String {
        place += 1
        let start = place
        skipPlainCharacters()
        // Most strings have no escapes and are copied unchanged.
        if next == UInt8(ascii: "\"") {
            defer { place += 1 }
            return String(
                decoding: UnsafeBufferPointer(rebasing: bytes[start..<place]), as: UTF8.self)
        }
        var unescaped = Array(bytes[start..<place])
        while let byte = next, byte >= 0x20 {
            switch byte {
            case UInt8(ascii: "\""):
                place += 1
                return String(decoding: unescaped, as: UTF8.self)
            case UInt8(ascii: "\\"):
                place += 1
                try escape(into: &unescaped)
            default:
                let plain = place
                skipPlainCharacters()
                unescaped += UnsafeBufferPointer(rebasing: bytes[plain..<place])
            }
        }
        if let byte = next { throw .controlCharacter(byte) }
        throw .unclosedString
    }

    private mutating func skipPlainCharacters() {
        while place < bytes.count {
            let byte = bytes[place]
            if byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "\\") || byte < 0x20 { return }
            place += 1
        }
    }

    private mutating func escape(into unescaped: inout [UInt8]) throws(JSON.Fault) {
        guard let byte = next else { throw .unclosedString }
        place += 1
        switch byte {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): unescaped.append(byte)
        case UInt8(ascii: "b"): unescaped.append(0x08)
        case UInt8(ascii: "f"): unescaped.append(0x0C)
        case UInt8(ascii: "n"): unescaped.append(0x0A)
        case UInt8(ascii: "r"): unescaped.append(0x0D)
        case UInt8(ascii: "t"): unescaped.append(0x09)
        case UInt8(ascii: "u"):
            if let scalar = try escapedScalar() {
                unescaped += String(scalar).utf8
            } else if repairs.contains(.loneSurrogates) {
                unescaped += "\u{FFFD}".utf8
            } else {
                throw .loneSurrogate
            }
        default:
            place -= 1
            throw .unknownEscape
        }
    }

    /// The code point of one `\uXXXX`, or of two that form a surrogate pair. Nil for half a pair;
    /// only this half is then consumed.
    private mutating func escapedScalar() throws(JSON.Fault) -> Unicode.Scalar? {
        let code = try fourDigits()
        guard (0xD800..<0xDC00).contains(code) else { return Unicode.Scalar(code) }
        let second = place
        guard take(UInt8(ascii: "\\")), take(UInt8(ascii: "u")) else {
            place = second
            return nil
        }
        let low = try fourDigits()
        guard (0xDC00..<0xE000).contains(low) else {
            place = second
            return nil
        }
        return Unicode.Scalar(0x10000 + (code - 0xD800) << 10 + (low - 0xDC00))
    }

    private mutating func fourDigits() throws(JSON.Fault) -> UInt32 {
        var code: UInt32 = 0
        for _ in 0..<4 {
            let digit: UInt8
            switch next {
            case let byte? where byte &- 0x30 < 10: digit = byte - 0x30
            case let byte? where (byte | 0x20) &- 0x61 < 6: digit = (byte | 0x20) - 0x61 + 10
            default: throw .badHexadecimal
            }
            code = code << 4 | UInt32(digit)
            place += 1
        }
        return code
    }
}

/// Finds repeated keys of one object. A few keys are compared; many are hashed by their bytes, with
/// a seed that differs from run to run, so that nobody can write keys that all collide.
private struct KeyIndex {
    private static let few = 12
    /// Places in the list of members, by hash; open addressing, at most half full.
    private var slots: [Int32] = []

    /// The place of a member with the key. If there is none, returns nil and records the key for
    /// the next member.
    mutating func insert(_ key: String, into members: [JSON.Member]) -> Int? {
        if members.count < Self.few {
            return members.firstIndex { $0.key.hasSameBytes(as: key) }
        }
        if 2 * (members.count + 1) > slots.count { rebuild(members) }
        let slot = slot(of: key, members)
        if slots[slot] >= 0 { return Int(slots[slot]) }
        slots[slot] = Int32(truncatingIfNeeded: members.count)
        return nil
    }

    private mutating func rebuild(_ members: [JSON.Member]) {
        slots = [Int32](repeating: -1, count: max(64, 2 * slots.count))
        for (place, member) in members.enumerated() {
            slots[slot(of: member.key, members)] = Int32(truncatingIfNeeded: place)
        }
    }

    private func slot(of key: String, _ members: [JSON.Member]) -> Int {
        var hasher = Hasher()
        var key = key
        key.withUTF8 { hasher.combine(bytes: UnsafeRawBufferPointer($0)) }
        var slot = hasher.finalize() & (slots.count - 1)
        while slots[slot] >= 0, !members[Int(slots[slot])].key.hasSameBytes(as: key) {
            slot = (slot + 1) & (slots.count - 1)
        }
        return slot
    }
}
