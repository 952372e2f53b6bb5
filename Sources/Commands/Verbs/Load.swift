extension CommandTable {
    static let loadCommand = Command(
        "load", .data,
        "reads a model, queries, principles, constitutions, rollouts or a tokenizer",
        about: """
            Files of queries, constitutions and rollouts are JSON Lines, one record a line. A \
            query is {"id": …, "post": …}, {"id": …, "question": …} or {"text": …}, \
            its id unlike any other's; a line of \
            constitutions {"positive": "1. …\\n2. …", "negative": "…"} or {"principles": […], \
            "antitheses": […]}; a line of rollouts {"query": 0, "constitution": 1, "prompt": …, \
            "response": …} with texts or lists of token ids.
            """,
        forms: [
            loadModelForm,
            loadQueriesForm,
            loadPrinciplesForm,
            loadConstitutionsForm,
            loadRolloutsForm,
            loadResponsesForm,
            loadTokenizerForm,
        ])
}
