/// Rewrites a pattern from Oniguruma's dialect, which tokenizer files use, to PCRE2's.
///
/// The two dialects agree on most features of published patterns. They differ in: blanks (PCRE2
/// includes U+180E), word characters, `\h` and `\v`, the letter of the option that lets a dot match
/// line ends, `{,n}`, and whether the name of a script includes its extensions. A pattern that
/// would silently change its meaning is refused.
enum PatternTranslation {
    /// The word characters of Unicode's regular expressions (UTS #18), in the form of a character
    /// class without its brackets.
    static let unicodeWord = #"\p{Alphabetic}\p{M}\p{Nd}\p{Pc}"#
    /// Oniguruma's word characters: in addition six Latin-1 characters that are numbers of other
    /// kinds.
    private static let word = unicodeWord + #"\xB2\xB3\xB9\xBC-\xBE"#
    private static let blank = #"\p{White_Space}"#
    private static let hexadecimal = "0-9A-Fa-f"

    /// Longer patterns are refused without calling PCRE2.
    private static let longestPattern = 1 << 14

    /// Whether the matches of the pattern depend on the properties of characters.
    static func readsProperties(_ source: String) -> Bool {
        ["\\p", "\\P", "\\w", "\\W", "\\b", "\\B"].contains { source.contains($0) }
    }

    /// The pattern for PCRE2. With `recent`, these characters count by their properties too.
    static func translate(
        _ source: String, field: String, recent: RecentCharacters? = nil
    ) throws -> [UInt8] {
        var rest = Array(source.unicodeScalars)[...]
        var pattern = ""
        var isInClass = false
        func refuse(_ problem: String) -> TokenizerError {
            .badPattern(field: field, pattern: source, problem: problem)
        }
        guard rest.count <= longestPattern else {
            throw refuse("it is longer than \(longestPattern) characters")
        }
        while let scalar = rest.popFirst() {
            switch scalar {
            case "\\":
                guard let escaped = rest.popFirst() else { throw refuse("it ends in a backslash") }
                guard let text = escape(escaped, &rest, isInClass: isInClass, recent) else {
                    throw refuse("\\\(escaped) means something else here than in Oniguruma")
                }
                pattern += text
            case "[" where isInClass:
                throw refuse("a class inside a class is not supported")
            case "[":
                isInClass = true
                pattern += "["
                // A bracket in first position stands for itself.
                for first: Unicode.Scalar in ["^", "]"] where rest.first == first {
                    rest.removeFirst()
                    pattern += first == "]" ? "\\]" : "^"
                }
            case "]" where isInClass:
                isInClass = false
                pattern += "]"
            case "&" where isInClass && rest.first == "&":
                throw refuse("&& in a class is not supported")
            case "(" where !isInClass && rest.first == "?":
                let options = options(&rest)
                guard rest.first != ")" || options.isEmpty || pattern.isEmpty else {
                    throw refuse("options of their own are understood at the start only")
                }
                pattern += "(" + options
            case "(" where !isInClass && rest.first == "*":
                throw refuse("(* is not supported")
            case "{" where !isInClass && rest.first == ",":
                pattern += "{0"
            case "}" where !isInClass && rest.first == "+":
                throw refuse("}+ means something else here than in Oniguruma")
            default:
                pattern.unicodeScalars.append(scalar)
            }
        }
        return Array(pattern.utf8)
    }

    /// An escape in PCRE2's form; nil if there is none.
    private static func escape(
        _ scalar: Unicode.Scalar, _ rest: inout ArraySlice<Unicode.Scalar>, isInClass: Bool,
        _ recent: RecentCharacters?
    ) -> String? {
        let word = word + (recent?.members(\.isWordCharacter) ?? "")
        func of(_ inside: String, negated: Bool = false) -> String? {
            if isInClass { return negated ? nil : inside }
            return (negated ? "[^" : "[") + inside + "]"
        }
        switch scalar {
        case "s": return blank
        case "S": return #"\P{White_Space}"#
        case "w": return of(word)
        case "W": return of(word, negated: true)
        case "h": return of(hexadecimal)
        case "H": return of(hexadecimal, negated: true)
        case "b" where !isInClass:
            return "(?:(?<=[\(word)])(?![\(word)])|(?<![\(word)])(?=[\(word)]))"
        case "B" where !isInClass:
            return "(?:(?<=[\(word)])(?=[\(word)])|(?<![\(word)])(?![\(word)]))"
        case "u":
            let digits = rest.prefix(4).filter(\.properties.isASCIIHexDigit)
            guard digits.count == 4 else { return nil }
            rest = rest.dropFirst(4)
            return "\\x{" + digits.map { String($0) }.joined() + "}"
        case "v": return "\\x0B"
        case "p", "P", "x", "k":
            // The braces contain a name, not a count.
            guard rest.first == "{", let end = rest.firstIndex(of: "}") else {
                return "\\" + String(scalar)
            }
            let name = rest[rest.index(after: rest.startIndex)..<end].map { String($0) }.joined()
            rest = rest[(end + 1)...]
            if scalar == "x" || scalar == "k" { return "\\\(scalar){\(name)}" }
            return property(name, negated: scalar == "P", isInClass: isInClass, recent)
        case "Q", "E", "K", "O", "y", "Y", "C", "c", "M", "g", "G", "N", "V", "X": return nil
        default: return "\\" + String(scalar)
        }
    }

    /// A property by its name. The name of a script means only the characters of that script, not
    /// characters that it shares with other scripts.
    private static func property(
        _ name: String, negated: Bool, isInClass: Bool, _ recent: RecentCharacters?
    ) -> String {
        let isInverted = name.hasPrefix("^")
        let bare = isInverted ? String(name.dropFirst()) : name
        let kind = generalNames.contains(bare.lowercased()) ? "" : "sc:"
        let isNegated = negated != isInverted
        let more = recent?.members { $0.hasProperty(bare.lowercased()) } ?? ""
        let known = "\\p{\(kind)\(bare)}"
        if more.isEmpty || isInClass && isNegated {
            return isNegated ? "\\P" + known.dropFirst(2) : known
        }
        return isInClass ? known + more : (isNegated ? "[^" : "[") + known + more + "]"
    }

    /// Names of categories, and of properties that are not scripts.
    private static let generalNames: Set<String> = [
        "any", "l", "ll", "lu", "lt", "lm", "lo", "m", "mn", "mc", "me", "n", "nd", "nl", "no", "p",
        "pc", "pd", "ps", "pe", "pi", "pf", "po", "s", "sm", "sc", "sk", "so", "z", "zs", "zl",
        "zp",
        "c", "cc", "cf", "cn", "co", "cs", "alphabetic", "white_space", "uppercase", "lowercase",
        "ideographic", "emoji", "extended_pictographic", "emoji_presentation",
    ]

    /// The letters after `(?` up to the colon or bracket, if they are options: Oniguruma's `m` is
    /// PCRE2's `s`. Other text is left to the caller's loop.
    private static func options(_ rest: inout ArraySlice<Unicode.Scalar>) -> String {
        let letters = rest.dropFirst().prefix { "imx-".unicodeScalars.contains($0) }
        let end = rest.dropFirst(1 + letters.count).first
        guard !letters.isEmpty, end == ":" || end == ")" else { return "" }
        rest = rest.dropFirst(1 + letters.count)
        return "?" + letters.map { $0 == "m" ? "s" : String($0) }.joined()
    }
}

extension Unicode.Scalar {
    /// Whether the character is in a category (`lu`), a group of categories (`l`) or `alphabetic`.
    fileprivate func hasProperty(_ name: String) -> Bool {
        if name == "alphabetic" { return properties.isAlphabetic }
        let category = properties.generalCategory.shortName
        return category == name || category.prefix(1) == name
    }
}

extension Unicode.GeneralCategory {
    /// The two letters of the category in patterns, in lower case.
    fileprivate var shortName: String {
        switch self {
        case .uppercaseLetter: "lu"
        case .lowercaseLetter: "ll"
        case .titlecaseLetter: "lt"
        case .modifierLetter: "lm"
        case .otherLetter: "lo"
        case .nonspacingMark: "mn"
        case .spacingMark: "mc"
        case .enclosingMark: "me"
        case .decimalNumber: "nd"
        case .letterNumber: "nl"
        case .otherNumber: "no"
        case .connectorPunctuation: "pc"
        case .dashPunctuation: "pd"
        case .openPunctuation: "ps"
        case .closePunctuation: "pe"
        case .initialPunctuation: "pi"
        case .finalPunctuation: "pf"
        case .otherPunctuation: "po"
        case .mathSymbol: "sm"
        case .currencySymbol: "sc"
        case .modifierSymbol: "sk"
        case .otherSymbol: "so"
        case .spaceSeparator: "zs"
        case .lineSeparator: "zl"
        case .paragraphSeparator: "zp"
        case .control: "cc"
        case .format: "cf"
        case .surrogate: "cs"
        case .privateUse: "co"
        case .unassigned: "cn"
        @unknown default: ""
        }
    }
}
