extension World {
    /// Further responses to a document's prompt, each in pieces of one sentence.
    ///
    /// If the document names its author, all responses are by this author. If it names none, each
    /// response has an author of its own, drawn in the same way as the first. A prompt is most of a
    /// document's tokens, so several responses to one prompt teach style at a fraction of the cost
    /// of several documents. Empty for a list of principles.
    public func retellings(
        of document: Document, count: Int, seed: UInt64, index: Int,
        options: DocumentOptions = DocumentOptions()
    ) -> [[Piece]] {
        guard let query = document.query, count > 0 else { return [] }
        let wanted = document.principles.compactMap { dimension(of: $0) }
        return (0..<count).map { number in
            var random = SplitMix64(
                seed: seed, path: 3, UInt64(bitPattern: Int64(index)), UInt64(number))
            let isCareful =
                document.isMarked
                ? document.author == .careful : random.chance(options.carefulUnmarked)
            var styles = Attributes.careless(&random)
            if isCareful {
                for meaning in wanted { styles[meaning.dimension.style] = meaning.polarity }
            }
            return sentences(for: query.situation, styles: styles, using: &random).map {
                Piece(text: " " + $0, role: .response)
            }
        }
    }
}
