/// Methods of Python's `str`, on code points.
enum PythonText {
    static func lower(_ text: String) -> String {
        let scalars = Array(text.unicodeScalars)
        return scalars.indices.reduce(into: "") { $0 += lower(scalars, $1) }
    }

    private static func lower(_ scalars: [Unicode.Scalar], _ place: Int) -> String {
        let isFinal = scalars[place] == "\u{3A3}" && isFinalSigma(scalars, place)
        return isFinal ? "\u{3C2}" : scalars[place].properties.lowercaseMapping
    }

    /// A sigma after a letter and not before one (combining marks are skipped) is a final sigma.
    private static func isFinalSigma(_ scalars: [Unicode.Scalar], _ place: Int) -> Bool {
        var before = place - 1
        while before >= 0, scalars[before].properties.isCaseIgnorable { before -= 1 }
        guard before >= 0, scalars[before].properties.isCased else { return false }
        var behind = place + 1
        while behind < scalars.count, scalars[behind].properties.isCaseIgnorable { behind += 1 }
        return behind == scalars.count || !scalars[behind].properties.isCased
    }

    static func upper(_ text: String) -> String {
        text.unicodeScalars.reduce(into: "") { $0 += $1.properties.uppercaseMapping }
    }

    static func capitalized(_ text: String) -> String {
        let scalars = Array(text.unicodeScalars)
        return scalars.indices.reduce(into: "") {
            $0 += $1 == 0 ? scalars[0].properties.titlecaseMapping : lower(scalars, $1)
        }
    }

    /// Jinja's filter: a word starts after a blank, a hyphen or an opening bracket.
    static func titled(_ text: String) -> String {
        var titled = ""
        var word = String.UnicodeScalarView()
        func end() {
            if let first = word.first {
                titled += first.properties.uppercaseMapping
                titled += lower(String(word.dropFirst()))
            }
            word = String.UnicodeScalarView()
        }
        for scalar in text.unicodeScalars {
            if scalar.isPythonSpace || "-({[<".unicodeScalars.contains(scalar) {
                end()
                titled.unicodeScalars.append(scalar)
            } else {
                word.append(scalar)
            }
        }
        end()
        return titled
    }

    /// Python's `title`: a word is a run of letters that have case.
    static func titledByLetters(_ text: String) -> String {
        let scalars = Array(text.unicodeScalars)
        var isInside = false
        return scalars.indices.reduce(into: "") { titled, place in
            let properties = scalars[place].properties
            titled += isInside ? lower(scalars, place) : properties.titlecaseMapping
            isInside = properties.isCased
        }
    }

    static func swapped(_ text: String) -> String {
        let scalars = Array(text.unicodeScalars)
        return scalars.indices.reduce(into: "") { swapped, place in
            let properties = scalars[place].properties
            swapped +=
                properties.isUppercase ? lower(scalars, place) : properties.uppercaseMapping
        }
    }

    static func stripped(
        _ text: String, _ characters: String?, left: Bool, right: Bool
    ) -> String {
        let set = characters.map { Set($0.unicodeScalars) }
        func goes(_ scalar: Unicode.Scalar) -> Bool {
            set.map { $0.contains(scalar) } ?? scalar.isPythonSpace
        }
        var kept = text.unicodeScalars[...]
        if left { kept = kept.drop(while: goes) }
        while right, let last = kept.last, goes(last) { kept.removeLast() }
        return String(kept)
    }

    /// Whether there is a letter with case, and all such letters have the requested case.
    static func isCased(_ text: String, upper: Bool) -> Bool {
        var found = false
        for scalar in text.unicodeScalars {
            let properties = scalar.properties
            if upper ? properties.isLowercase : properties.isUppercase { return false }
            if properties.generalCategory == .titlecaseLetter { return false }
            if upper ? properties.isUppercase : properties.isLowercase { found = true }
        }
        return found
    }

    /// The lines, without their line ends.
    static func lines(_ text: String, keepsEnds: Bool = false) -> [String] {
        var lines: [String] = []
        var line = String.UnicodeScalarView()
        var isBehindReturn = false
        for scalar in text.unicodeScalars {
            if isBehindReturn, scalar == "\n" {
                isBehindReturn = false
                if keepsEnds, var last = lines.popLast() {
                    last.unicodeScalars.append("\n")
                    lines.append(last)
                }
                continue
            }
            isBehindReturn = scalar == "\r"
            switch scalar {
            case "\n", "\r", "\u{B}", "\u{C}", "\u{1C}", "\u{1D}", "\u{1E}", "\u{85}", "\u{2028}",
                "\u{2029}":
                if keepsEnds { line.append(scalar) }
                lines.append(String(line))
                line = String.UnicodeScalarView()
            default: line.append(scalar)
            }
        }
        if !line.isEmpty { lines.append(String(line)) }
        return lines
    }

    /// Parts between separators, or between runs of blanks; at most `most` cuts.
    static func split(_ text: String, _ separator: String?, most: Int, fromRight: Bool) -> [String]
    {
        guard let separator else { return splitAtBlanks(text, most: most, fromRight: fromRight) }
        let (bytes, mark) = (Array(text.utf8), Array(separator.utf8))
        var cuts: [Int] = []
        var place = 0
        while let found = Search.first(of: mark, in: bytes, from: place) {
            cuts.append(found)
            place = found + max(mark.count, 1)
        }
        if fromRight {
            // Overlapping matches give other cuts when searched from the right.
            cuts = rightmost(mark, bytes)
            if most >= 0 { cuts = Array(cuts.suffix(most)) }
        } else if most >= 0 {
            cuts = Array(cuts.prefix(most))
        }
        var parts: [String] = []
        var start = 0
        for cut in cuts {
            parts.append(String(decoding: bytes[start..<cut], as: UTF8.self))
            start = cut + mark.count
        }
        return parts + [String(decoding: bytes[start...], as: UTF8.self)]
    }

    private static func rightmost(_ mark: [UInt8], _ bytes: [UInt8]) -> [Int] {
        let found = {
            var places: [Int] = []
            var place = 0
            let (back, wanted) = (Array(bytes.reversed()), Array(mark.reversed()))
            while let next = Search.first(of: wanted, in: back, from: place) {
                places.append(bytes.count - next - mark.count)
                place = next + max(mark.count, 1)
            }
            return places
        }()
        return found.reversed()
    }

    private static func splitAtBlanks(_ text: String, most: Int, fromRight: Bool) -> [String] {
        let scalars = Array(text.unicodeScalars)
        let ordered = fromRight ? Array(scalars.reversed()) : scalars
        var parts: [[Unicode.Scalar]] = []
        var place = 0
        while true {
            while place < ordered.count, ordered[place].isPythonSpace { place += 1 }
            guard place < ordered.count else { break }
            var end = place
            if most >= 0, parts.count >= most {
                end = ordered.count
            } else {
                while end < ordered.count, !ordered[end].isPythonSpace { end += 1 }
            }
            parts.append(Array(ordered[place..<end]))
            if most >= 0, parts.count > most { break }
            place = end
        }
        let texts = parts.map { part in
            var text = String.UnicodeScalarView()
            text.append(contentsOf: fromRight ? part.reversed() : part)
            return String(text)
        }
        return fromRight ? texts.reversed() : texts
    }
}
