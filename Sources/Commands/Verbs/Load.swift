extension CommandTable {
    static let loadCommand = Command(
        "load", .data,
        "reads a model, an adapter, queries, principles, constitutions, rollouts, a tokenizer or data",
        about: """
            Files of queries, principles, constitutions and rollouts are JSON Lines, one record a \
            line; a list in a .json file and the rows of a .csv file are read too, each also as \
            .gz, and so are records that you type: `queries = [{"text": "…"}]`. A query is \
            {"id": …, "post": …}, {"id": …, "question": …} or {"text": …}, its id unlike any \
            other's; the `prompt`, `messages` and `chosen` of TL;DR, HH-RLHF and TRL are read \
            too, and `field=` names another field. A line of \
            constitutions is {"positive": "1. …\\n2. …", "negative": "…"} or {"principles": […], \
            "antitheses": […]}; a line of rollouts {"query": 0, "constitution": 1, "prompt": …, \
            "response": …} with texts or lists of token ids. Without `prompt`, it is that of \
            `queries`, `constitutions` and `model`.
            """,
        forms: [
            loadModelForm,
            loadAdapterForm,
            loadQueriesForm,
            loadPrinciplesForm,
            loadConstitutionsForm,
            loadRolloutsForm,
            loadResponsesForm,
            loadDemonstrationsForm,
            loadTokenizerForm,
            loadTensorForm,
            loadTableForm,
            loadTextForm,
        ])
}
