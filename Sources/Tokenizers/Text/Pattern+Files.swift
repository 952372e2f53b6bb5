extension Pattern {
    /// `{"String": "…"}` for a text as it stands, or `{"Regex": "…"}`.
    convenience init(_ field: Field) throws {
        try field.allow("String", "Regex")
        if let literal = try field.optional("String") {
            try self.init(literal: literal.string(), field: field.path)
        } else {
            try self.init(field.required("Regex").string(), field: field.path)
        }
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
