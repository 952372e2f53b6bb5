extension Pattern {
    /// `{"String": "…"}` for a literal text, or `{"Regex": "…"}`.
    convenience init(_ field: Field) throws {
        try field.allow("String", "Regex")
        if let literal = try field.optional("String") {
            try self.init(literal: literal.string(), field: field.path)
        } else {
            try self.init(field.required("Regex").string(), field: field.path)
        }
    }

    /// The largest factor by which a text can grow if every match is replaced by the content.
    func growth(with content: [UInt8]) -> Int {
        guard let length = literalLength else { return 1 + content.count }
        return max(1, (content.count + length - 1) / length)
    }

    /// The text with every match replaced.
    func replacing(_ bytes: [UInt8], with content: [UInt8]) -> [UInt8] {
        var replaced: [UInt8] = []
        var place = 0
        forEachMatch(bytes, 0..<bytes.count) { match in
            replaced += bytes[place..<match.lowerBound]
            replaced += content
            place = match.upperBound
        }
        guard !replaced.isEmpty || place > 0 else { return bytes }
        return replaced + bytes[place...]
    }
}

/// The largest factor by which steps can lengthen a text. A chain of steps that each double it
/// would fill any memory, so such files are refused.
enum TextGrowth {
    private static let most = 4096

    static func product(_ factors: some Sequence<Int>) -> Int {
        factors.reduce(1) { product, factor in
            let (next, overflow) = product.multipliedReportingOverflow(by: factor)
            return overflow ? Int.max : next
        }
    }

    static func check(_ growth: Int, field: String) throws {
        guard growth <= most else {
            throw TokenizerError.unsupportedSetting(
                field: field, value: "steps that make a text more than \(most) times as long")
        }
    }
}
