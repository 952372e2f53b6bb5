extension Tour {
    /// The path of the five lessons in `notebooks/`. A chapter begins with `# N. Title`. Comments
    /// stand before their statement, and lines with `#>` explain the output after it.
    package static let script = #"""
        # 1. The loss by hand

        # A row of S is a constitution, a column is a response. A number is a
        # log-prob, in nats a token.
        S = tensor([[-0.4, -1.2], [-1.0, -0.5]])
        show S
        #> On the diagonal each response stands under its own constitution.
        #> Here the diagonal has the largest number of each row and of each column.

        # Rows ask: which response was written under this constitution?
        # Softmax turns a row into probabilities.
        show softmax(S, axis=1)
        #> Each row sums to 1, and the right answers are on the diagonal.
        #> They get about 0.69 and 0.62.

        # Columns ask: which constitution was this response written under?
        show softmax(S, axis=0)
        #> Now each column sums to 1.
        #> The right answers get about 0.65 and 0.67.

        # The loss is the mean of -log of the right answers, over rows and
        # columns.
        contrast S
        #> The loss is about 0.42, where 0.69 is chance and 0 is perfect.
        #> Every row and every column is right, so both accuracies are 100 %.

        # A model that knows nothing finds each response equally likely under
        # both constitutions.
        contrast zeros([2, 2])
        #> Each answer gets 1/2, so the loss is log 2, about 0.69.
        #> The bound on information is 0: nothing is shared.

        # A perfect matrix: no doubt anywhere.
        contrast tensor([[0, -100], [-100, 0]])
        #> The loss is 0, so the bound is log 2, and no matrix of this size can pass it.
        #> More may be shared, but a choice between two constitutions cannot show it.

        # 2. Tokens and prompts

        # A small model ships with sami. It has read texts of a made-up world,
        # and knows nothing else.
        load model default
        #> It has 1.2 million parameters, and 962 tokens to read and write.
        #> The weights are kept under the name base too, so that we can compare later.

        # Text becomes tokens, and each token has a number.
        tokenize "My sister lost the keys." special=false
        #> Most words are one token, together with the blank before them.
        #> "My" has no blank before it here, and is cut in two.

        # Principles come in pairs: a sentence and its opposite.
        load principles trained
        #> Each line asks for something, and "not" asks for the opposite.
        #> They were written for the made-up world.

        # For each post, a constitution of two sentences, and the exact
        # opposite of it.
        load queries summaries split=train count=16;
        compose count=2 principles_each=2 seed=3
        #> The two constitutions of the first post are shown.
        #> Each sentence of one is the opposite of a sentence of the other.

        # The model writes one summary under each constitution. This is the
        # text that it reads first.
        rollout seed=3;
        rollouts[0][0].prompt
        #> Constitution, post, and the word "Summary:", where the summary begins.
        #> The blank after it is missing on purpose, as the next step shows.

        # Prompt and response must join as the model has learned it. One blank
        # too many at the end of the prompt:
        next (rollouts[0][0].prompt + " ") count=3
        #> No summary begins with these tokens, so the model is lost.
        #> The blank belongs to the first word, and sami takes care of it.

        # 3. One step

        # A token strip: where do the two constitutions disagree about a token
        # of the first summary?
        show rollouts[0][0]
        #> " I think this is unfair" is likelier under the constitution that asks for an opinion.
        #> Most tokens are not marked: they follow from the post alone.

        # Score every summary under both constitutions. This is S, the matrix
        # of chapter 1.
        score
        #> The differences are small, since only few tokens of a summary depend on the
        #> constitution.
        #> Brackets mark the summaries under their own constitution.

        # The loss over 16 posts.
        contrast
        #> It is hardly below 0.6931, which is chance.
        #> Before training, the model follows its constitution only in part.

        # The gradient says for each weight in which direction the loss falls.
        backward
        #> There is one tensor for each tensor of weights, and the largest five are shown.
        #> The norm is the length of the whole gradient.

        # One step against the gradient.
        update optimizer=adamw learning_rate=3e-4
        #> Nearly every weight has moved by 0.0003, up or down.
        #> The model has changed, and base has not.

        # The same summaries again, with the changed model.
        score;
        contrast
        #> The loss is a little smaller than before the step.
        #> The note says that the older model wrote the summaries, which is intended here.

        # 4. An iteration and a judgement

        # Many steps now, from base: new posts, summaries, 12 steps; then the
        # same with the better model's summaries.
        iterate 2 queries=192 steps=12 learning_rate=5e-4 seed=1
        #> The loss at the end of the second iteration is far below chance.
        #> Its summaries were written by the model of the first one, and tell more about their
        #> constitutions.

        # The loss of every step.
        losses = [row.loss for row in log]
        plot losses title="Loss of every step"
        #> The first iteration stays near 0.69.
        #> The second one begins there again, and then falls.

        # Is the model better? 200 test posts: a program reads both models'
        # summaries.
        load queries summaries split=test count=200;
        judge principles_each=2 seed=1
        #> 50 % would mean no difference; the trained model wins clearly.
        #> Lengths are nearly equal, so it does not win by writing more.

        # The win rate comes from a sample, so it has an interval.
        {"rate": verdicts.win_rate, "low": verdicts.interval[0], "high": verdicts.interval[1]}
        #> The true rate is probably between low and high.
        #> 50 % is far outside, so this is no luck.

        # A fairer question: kinds of principles that training has never used.
        held_out = load principles held_out;
        unseen = judge principles=held_out principles_each=2 seed=1
        #> The rate is about as high as before.
        #> The model has not learned sentences by heart: it follows its constitution more closely.

        # 5. The trained model

        # The first summary of chapter 3 again, read by the trained model.
        show rollouts[0][0]
        #> The differences were below 1 nat, and now they are several nats.
        #> The trained model sees where this summary follows its constitution and where it does
        #> not.

        # Which tokens could stand at the place of " I" in "I think"? Under
        # both constitutions:
        next rollouts[0][0] at=29 count=3
        #> Under constitution 0 the model is now nearly certain to give an opinion, under 1 it
        #> hardly ever does.
        #> Before training it did so in about half and in about a third of the cases.

        # Which tensors moved furthest, as a share of their length?
        share(name) = norm(model.tensors[name] - base.tensors[name]) / norm(base.tensors[name])
        topk(tensor([share(name) for name in model.names]), count=3)
        #> The largest change is about 6 % of its tensor.
        #> A small change of all weights was enough.

        # Which sentences are still followed least?
        sort_by(verdicts.principles, [p.first for p in verdicts.principles])[0:3]
        #> "Be concise" is followed no more often than before.
        #> A good average can hide a failure, so look at each sentence.

        # A principle with a word that the model does not know.
        weather = [
          {"principle": "Mention the weather.", "antithesis": "Never mention the weather."},
        ]
        compose weather count=2 seed=2;
        rollout queries[0:1] seed=2;
        show rollouts[0][0]
        #> " Now" passes over the feelings: the model reads "mention" as "mention the feelings",
        #> and ignores the weather.
        #> SAMI teaches a model to use what it knows, and nothing else.

        """#
}
