/// Pages of `help` that belong to no verb, function or kind of value.
enum HelpPages {
    /// Name, one line for lists, and text; a line that starts with two blanks is an example.
    struct Page {
        var name: String
        var summary: String
        var text: String
    }

    static func named(_ name: String) -> Page? {
        let name = aliases[name.lowercased()] ?? name
        return (pages + terms).first { $0.name == name }
            ?? terms.first { $0.name.lowercased() == name.lowercased() }
    }

    /// Other words for a page, which a hand types first.
    private static let aliases = [
        "for": "blocks", "if": "blocks", "in": "language", "loop": "blocks",
        "block": "blocks", "expressions": "language", "syntax": "language",
        "statements": "language", "comprehension": "language", "preset": "presets",
        "index": "slicing", "slices": "slicing", "mask": "slicing", "operator": "operators",
    ]

    static let pages: [Page] = [
        Page(
            name: "language", summary: "statements, values and names",
            text: """
                A statement is a command or an expression, one a line or separated by `;`. A `;` at \
                the end of a line hides the output. `#` starts a comment. A name on the left of `=` \
                keeps the result; several names take a list apart.
                  x = 2 * 3
                  a, b = [1, 2]
                  mine = rollout queries[0:2] temperature=0.7
                Values are numbers, text in quotes, true, false, null, lists, records, tensors, and \
                the objects that commands make. `x.field` reads a field, of a list the field of each \
                item. `_` is the last result. Within a command, brackets give a value where a word \
                is expected: `split=(name)`.
                More pages: blocks, operators, slicing, functions, settings, presets.
                """),
        Page(
            name: "blocks", summary: "loops, choices, functions and comprehensions",
            text: """
                  for rate in [1e-4, 1e-3] { m = train steps=2 learning_rate=(rate) }
                  for i, x in enumerate(["a", "b"]) { x }
                  if loss.value < 0.5 { "learned" } else { "not yet" }
                  double(x) = 2 * x
                  [double(x) for x in [1, 2, 3] if x > 1]
                  "well" if loss.value < 0.6 else "badly"
                A block is one statement of the journal: `undo` takes all of it back, and a replay \
                runs it again. If it fails or is stopped, what its statements made is kept. The name \
                of a loop keeps its last value. A function sees its parameters and the names of the \
                workspace.
                """),
        Page(
            name: "operators", summary: "arithmetic, comparisons and logic",
            text: """
                From the loosest to the tightest: `a if c else b`; `or`; `and`; `not`; \
                `== != < <= > >= in`; `+ -`; `* / // % @`; signs; `**`.
                `@` is the matrix product, `//` rounds down, `%` has the sign of the right side. \
                Tensors combine element by element, and a dimension of 1 repeats. `+` joins lists \
                and texts. A comparison of a tensor gives a mask of 0 and 1; `and`, `or` and `not` \
                combine masks.
                  t = tensor([1, 2, 3, 4])
                  t[(t > 1) and (t < 4)]
                  "sum" in "a summary"
                """),
        Page(
            name: "slicing", summary: "items and parts of values",
            text: """
                Positions count from 0, negative ones from the end. `a:b` leaves out b; each part \
                may be missing. A list of positions, a mask or a list of truth values selects \
                several items. A record takes a name.
                  x = [10, 20, 30, 40]
                  x[0]
                  x[-2:]
                  x[[0, 2]]
                  x[[v > 15 for v in x]]
                  {"a": 1}["a"]
                  reshape(range(6), [2, 3])[:, 1]
                """),
        Page(
            name: "presets", summary: "named settings of the method",
            text: """
                `preset=paper` takes the settings of arXiv 2404.14313: RMSprop with a small learning \
                rate, one pass, no KL penalty. `preset=tiny` suits models under 50 million \
                parameters: AdamW with a larger rate and a KL penalty. `preset=adapters` suits \
                adapters on a small instruct model: one principle a constitution, responses that \
                may be cut off, AdamW at a rate that falls to zero. Without `preset=` the size of \
                the model decides, and whether it has adapters. `help train` and `help iterate` \
                show each option under all of them; an option that is given is stronger than its \
                preset.
                """),
    ]

    /// The field's terms, in a sentence or two. docs/GLOSSARY.md has more, with their places in
    /// the code.
    static let terms: [Page] = [
        ("principle", "A sentence about how to answer, with its opposite, the antithesis."),
        (
            "constitution",
            "The list of principles that stands in a prompt. The constitutions of a query take each "
                + "principle or its antithesis."
        ),
        ("query", "A post to summarize or a question to answer; known by its id."),
        ("response", "A text that the model wrote for a query under a constitution."),
        (
            "S",
            "The matrix of log-probs of a query: row i is constitution c_i, column j is response "
                + "y_j, which was sampled under c_j. `score` makes it."
        ),
        (
            "nats",
            "The unit of log-probs and information with the natural logarithm: one nat is 1.44 bits. "
                + "A log-prob of -0.69 nats is a probability of one half."
        ),
        (
            "bound",
            "log C minus the loss, in nats: an estimate from below of the mutual information of "
                + "constitution and response. That of the columns never exceeds the information, "
                + "but for chance. That of the rows supposes that the constitutions of a query are "
                + "drawn independently, so a constitution beside its opposite can exceed it. No "
                + "bound exceeds log C, and below zero a bound says nothing."
        ),
        (
            "prompt",
            "The text that a model reads before its response: the constitution, the query, and the "
                + "words after which the response begins; rollouts[0][0].prompt is one. Its form "
                + "belongs to the model: `load model` reads it from prompts.json, or from the file "
                + "that prompts= names. An instruct model is prompted through its chat template."
        ),
        (
            "template",
            "The chat template of an instruct model: a small program in its tokenizer's files that "
                + "writes messages with the marks that the model was trained with. Every prompt of "
                + "such a model goes through it, unless prompts= says otherwise."
        ),
        (
            "temperature",
            "Divides the logits before sampling: 0 takes the likeliest token, 1 samples from the "
                + "model's distribution."
        ),
        ("top_p", "Sampling takes the likeliest tokens that together have this probability."),
        ("logits", "The scores of all tokens before softmax makes them probabilities."),
        ("entropy", "How undecided a distribution is, in nats; 0 for a single token."),
        ("perplexity", "The exponential of the mean negative log-prob of a token."),
        (
            "KL",
            "The mean of the log-prob ratio of two models on the first one's tokens: how far "
                + "training has moved the model from its base."
        ),
        (
            "base",
            "The model before training, which `iterate` starts from and `judge` compares with."
        ),
        (
            "accuracy",
            "The share of rows, or of columns, whose right answer has the largest score; with two "
                + "constitutions a guess is right in 50 %."
        ),
        (
            "diagonal",
            "The cells of S with each response under the constitution that it was sampled with. "
                + "Training makes them the largest of their row and column."
        ),
        (
            "information",
            "What a response tells of its constitution, in nats: 0 if nothing, log C if all."
        ),
        (
            "polarity",
            "Which slots of a constitution have a principle's antithesis: `opposites` draws one "
                + "constitution and its exact opposite, `positive` sets all principles against all "
                + "antitheses, `distinct` draws each by itself."
        ),
        (
            "form",
            "What a query is: a post to summarize, a question to answer, or plain text. The form "
                + "selects the prompt."
        ),
        (
            "malformed",
            "An answer that is not of the shipped world's form, so that what it follows cannot be "
                + "measured."
        ),
        (
            "careful",
            "An author of the shipped world who keeps to the principles at the head of a document. "
                + "The shipped model has read both kinds, so it follows its constitution only in "
                + "part before training."
        ),
        (
            "gates",
            "The limits that a shipped model passes before it is used: how far it follows "
                + "principles with a careful author named and with none, and how often it is "
                + "malformed."
        ),
        ("ramp", "Makes the first steps of RMSprop smaller, while its averages are still short."),
        ("beta", "The weight of the KL penalty, which holds the model near its base."),
        ("learning_rate", "The size of an optimizer's step."),
        (
            "snapshot_limit",
            "Values above this size are written when the session ends, not at their statement."
        ),
        (
            "training",
            "Of `constitutions`: the constitution that a response is scored with, which may be "
                + "shorter than the one that it was sampled with."
        ),
        ("epoch", "One pass over the queries."),
        ("gradient", "The derivative of the loss by each weight; `backward` forms it."),
        (
            "win_rate",
            "The share of comparisons in which a model's response fits better; ties count half."
        ),
        ("token", "An entry of the vocabulary; the model reads and writes text in tokens."),
        (
            "checkpoint",
            "The state of long work, from which `resume` goes on; also a model's files."
        ),
        ("seed", "With a statement's number it decides all random numbers."),
    ].map { Page(name: $0.0, summary: $0.1, text: $0.1) }
}
