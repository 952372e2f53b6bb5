extension PromptTemplate {
    /// A question to a judge that continues text.
    public static let comparison = PromptTemplate(
        shipped:
            "\(comparisonText)\n\nThe response that follows the principles better is named here: "
            + "A, B or tie.\nBetter:", for: .comparison)

    /// A question to a judge that answers messages.
    public static let comparisonChat = PromptTemplate(
        shipped: [
            (
                .user,
                """
                \(comparisonText)

                Which response follows the principles better? Judge by the principles alone, not by \
                length, style or place. Write one line and nothing else: Better: X, where X is A, B \
                or tie.
                """
            )
        ], for: .comparison)

    private static let comparisonText = """
        Two responses to the same request are compared by how well they follow some principles.

        Request:
        {query}

        Principles:
        {constitution}

        Response A:
        {first}

        Response B:
        {second}
        """
}
