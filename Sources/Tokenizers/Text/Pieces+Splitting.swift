/// The treatment of the matches that split a text.
enum SplitBehavior: String, CaseIterable, Sendable {
    case removed = "Removed"
    case isolated = "Isolated"
    case mergedWithPrevious = "MergedWithPrevious"
    case mergedWithNext = "MergedWithNext"
    case contiguous = "Contiguous"

    init(_ field: Field) throws {
        let name = try field.string()
        guard let behavior = Self(rawValue: name) else {
            throw TokenizerError.unsupported(
                field: field.path, type: name, supported: Self.allCases.map(\.rawValue))
        }
        self = behavior
    }
}

/// A part of a piece: a match, or the text between two matches.
struct Stretch: Sendable {
    var range: Range<Int>
    var isMatch: Bool
}

extension Pieces {
    /// Splits every piece at the matches of a pattern; `inverted` splits at the text between them.
    func split(_ pattern: Pattern, _ behavior: SplitBehavior, inverted: Bool = false) -> Pieces {
        split(behavior) { range in
            var stretches: [Stretch] = []
            var place = range.lowerBound
            pattern.forEachMatch(bytes, range) { match in
                if place < match.lowerBound {
                    stretches.append(Stretch(range: place..<match.lowerBound, isMatch: inverted))
                }
                stretches.append(Stretch(range: match, isMatch: !inverted))
                place = match.upperBound
            }
            if place < range.upperBound {
                stretches.append(Stretch(range: place..<range.upperBound, isMatch: inverted))
            }
            return stretches
        }
    }

    /// Splits every piece at the characters that satisfy a condition.
    func split(_ behavior: SplitBehavior, where fits: (Unicode.Scalar) -> Bool) -> Pieces {
        split(behavior) { range in
            var stretches: [Stretch] = []
            var place = range.lowerBound
            var start = range.lowerBound
            while place < range.upperBound {
                let end = min(place + characterLength(bytes[place]), range.upperBound)
                if let scalar = Self.scalar(bytes[place..<end]), fits(scalar) {
                    if start < place {
                        stretches.append(Stretch(range: start..<place, isMatch: false))
                    }
                    stretches.append(Stretch(range: place..<end, isMatch: true))
                    start = end
                }
                place = end
            }
            if start < place { stretches.append(Stretch(range: start..<place, isMatch: false)) }
            return stretches
        }
    }

    private func split(
        _ behavior: SplitBehavior, _ stretches: (Range<Int>) -> [Stretch]
    ) -> Pieces {
        var cut = self
        cut.ranges.removeAll(keepingCapacity: true)
        for range in ranges {
            let found = behavior.pieces(of: stretches(range)).filter { !$0.isEmpty }
            cut.ranges += found
        }
        if cut.ranges.first?.lowerBound != ranges.first?.lowerBound { cut.startsText = false }
        return cut
    }

    private static func scalar(_ bytes: ArraySlice<UInt8>) -> Unicode.Scalar? {
        if bytes.count == 1, let byte = bytes.first { return Unicode.Scalar(byte) }
        return String(decoding: bytes, as: UTF8.self).unicodeScalars.first
    }
}

extension SplitBehavior {
    fileprivate func pieces(of stretches: [Stretch]) -> [Range<Int>] {
        switch self {
        case .removed: stretches.filter { !$0.isMatch }.map(\.range)
        case .isolated: stretches.map(\.range)
        case .contiguous: joining(stretches) { $0 == $1 }
        case .mergedWithPrevious: joining(stretches) { !$0 && $1 }
        case .mergedWithNext:
            // From the right, a match joins the part after it unless that is a match too.
            joining(
                stretches.reversed().map {
                    Stretch(
                        range: -$0.range.upperBound..<(-$0.range.lowerBound), isMatch: $0.isMatch)
                }
            ) { !$0 && $1 }
            .reversed().map { -$0.upperBound..<(-$0.lowerBound) }
        }
    }

    /// Joins a part to the one before it, depending on the kinds of both.
    private func joining(
        _ stretches: [Stretch], _ joins: (_ before: Bool, _ this: Bool) -> Bool
    ) -> [Range<Int>] {
        var pieces: [Range<Int>] = []
        var before = false
        for stretch in stretches {
            if let last = pieces.last, joins(before, stretch.isMatch) {
                pieces[pieces.count - 1] = last.lowerBound..<stretch.range.upperBound
            } else {
                pieces.append(stretch.range)
            }
            before = stretch.isMatch
        }
        return pieces
    }
}
