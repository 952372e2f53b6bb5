/// Whether a sentence can be a principle: an instruction in a full sentence. The rule looks at
/// words alone, so that anybody can predict it.
enum PrincipleSentence {
    /// A heading or a part of a sentence: at least two later words of four letters or more, all
    /// capitalized (`Clear And Concise Writing`), or an end that cannot end a sentence.
    static func isTitleOrFragment(_ sentence: String) -> Bool {
        let words = sentence.split(whereSeparator: \.isWhitespace)
        let long = words.dropFirst().filter { $0.count { $0.isLetter } > 3 }
        let isShouted = !sentence.contains(where: \.isLowercase)
        if long.count >= 2, !isShouted, long.allSatisfy({ $0.first?.isUppercase == true }) {
            return true
        }
        if let end = sentence.last, ":;,-–—…/".contains(end) || sentence.hasSuffix("...") {
            return true
        }
        return words.last.map { openWords.contains(String($0).lowercased()) } ?? true
    }

    /// An imperative (`Use short words.`, `Please do not shout.`), or a clause that says what
    /// should be (`The summary must name a place.`).
    static func isInstruction(_ sentence: String) -> Bool {
        let words = words(of: sentence)
        if words.contains(where: modals.contains) { return true }
        let first = words.first { !leadingWords.contains($0) }
        return first.map(imperatives.contains) ?? false || words.first == "no"
    }

    /// Whether a principle and its antithesis speak of one thing: they have a word in common, but
    /// for articles and the like, or one of them has a negation.
    static func areRelated(_ principle: String, _ antithesis: String) -> Bool {
        let (one, other) = (words(of: principle), words(of: antithesis))
        if (one + other).contains(where: negations.contains) { return true }
        let stems = Set(one.filter { !commonWords.contains($0) }.map { $0.prefix(5) })
        return other.contains { !commonWords.contains($0) && stems.contains($0.prefix(5)) }
    }

    /// In lower case, letters and apostrophes alone.
    private static func words(of sentence: String) -> [String] {
        sentence.lowercased().replacing("’", with: "'")
            .split { !$0.isLetter && $0 != "'" }.map(String.init)
    }

    /// Words that cannot end a sentence.
    private static let openWords: Set = [
        "a", "an", "the", "and", "or", "of", "to", "in", "on", "with", "for", "that", "as", "by",
        "is", "are", "be", "your", "its",
    ]

    /// Words that relate nothing.
    private static let commonWords: Set = ["a", "an", "the", "and", "or", "of", "to", "in"]

    private static let modals: Set = [
        "should", "shouldn't", "must", "mustn't", "shall", "ought", "needs", "need", "cannot",
    ]

    private static let negations: Set = [
        "not", "no", "never", "nothing", "none", "without", "avoid", "don't", "omit", "leave",
        "exclude", "skip", "refrain", "neither", "shouldn't", "mustn't", "cannot", "ignore",
        "hide", "remove",
    ]

    /// Words before the verb of an imperative.
    private static let leadingWords: Set = [
        "please", "always", "never", "do", "not", "don't", "only", "just", "also", "then", "first",
        "instead", "often", "rarely",
    ]

    /// Verbs that instructions for writing begin with.
    private static let imperatives: Set<String> = Set(
        """
        accept acknowledge act adapt add address admit adopt advise agree aim allow analyze answer \
        apologize appeal apply argue arrange ask assert assume attempt avoid balance base be begin \
        blame break bring build call capture care challenge change chat check choose cite claim \
        clarify close combine comfort comment compare complain complete condense conclude confirm \
        confuse connect consider contain continue contradict convey copy correct cover create \
        criticize cut debate decide define deliver demand deny describe detail discuss dismiss \
        display disregard distract divide doubt draw dwell echo elaborate eliminate embrace \
        emphasize employ encourage end engage ensure entertain evaluate exaggerate examine exclude \
        expand expect explain explore express fail fear find finish flatter focus follow forget \
        format gather generalize get give go greet group guess guide have help hide highlight hint \
        identify ignore illustrate imagine imply include indicate inform insert insult introduce \
        invent invite jump joke judge keep lead leave let limit link list look maintain make match \
        mention minimize mislead mix mock move name narrate neglect note offer omit open organize \
        outline overlook overuse paint pause persuade pick place point praise prefer present \
        preserve prevent prioritize promise promote protect prove provide put question quote raise \
        reach read recall recommend refer reflect refrain reject remain remember remove repeat \
        replace reply report represent request resist respect respond restate restrict reveal \
        rewrite ridicule rush save say scatter see select separate share shorten shout show \
        simplify skip slow speak specify spell split stand start state stay stick stop stress \
        structure suggest summarize support take talk teach tell think thank translate treat trim \
        try turn understand urge use vary verify wander warn welcome withhold wish word work write
        """.split(separator: " ").map(String.init))
}
