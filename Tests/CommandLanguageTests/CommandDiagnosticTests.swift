import Testing

@testable import CommandLanguage

/// Commands: verbs, forms, operands and keys. Each block is a rendered diagnostic; its second line
/// is the typed statement.
@Suite struct CommandDiagnosticTests {
    @Test(
        "diagnostics point at the place, say what is wrong, and show what would be right",
        arguments: sentences.components)
    func rendered(expected: String) {
        let source = typed(expected)
        #expect(render(source) == expected)
    }

    static let sentences = Sentences(
        #"""
        error: there is no command `lod`
          lod model default
          ^~~
          did you mean `load`?
          try: load model default

        error: there is no command `laod`
          laod queries ../x y
          ^~~~
          did you mean `load`?

        error: there is no command `model`
          model default
          ^~~~~
          did you mean `load model`?
          try: load model default

        error: there is no command `queries`
          queries ../x.jsonl
          ^~~~~~~
          did you mean `load queries`?
          try: load queries ../x.jsonl

        error: there is no command `scor`
          scor normalize=mean
          ^~~~
          did you mean `score`?
          try: score normalize=mean

        error: there is no command `frobnicate`
          frobnicate "x"
          ^~~~~~~~~~
          `help` lists the commands

        error: `load` must be followed by `model` or `queries`
          load
              ^

        error: `load` must be followed by `model` or `queries`, found `modle`
          load modle default
               ^~~~~
          did you mean `model`?
          try: load model default

        error: `load` must be followed by `model` or `queries`, found `3`
          load 3
               ^

        error: `load model` needs PATH: `default` or a path
          load model
                    ^
          usage: load model PATH [dtype=…] [as=…]

        error: `load model` takes no more operands
          load model default default
                             ^~~~~~~
          usage: load model PATH [dtype=…] [as=…]

        error: `dtype` must be `float32` or `bfloat16`, found `float`
          load model default dtype=float
                                   ^~~~~
          did you mean `float32`?
          try: load model default dtype=float32

        error: `rollout` has no key `temprature`
          rollout queries temprature=0.7
                          ^~~~~~~~~~
          did you mean `temperature`?
          try: rollout queries temperature=0.7

        error: `rollout` has no key `foo`
          rollout queries foo=0.7
                          ^~~
          its keys are `temperature`, `top_p` and `max_tokens`

        error: `ls` has no key `all`
          ls all=true
             ^~~
          it takes no keys

        error: `temperature` is given twice
          rollout temperature=0.7 temperature=0.8
                                  ^~~~~~~~~~~

        error: expected a number after `temperature=`
          rollout temperature=
                              ^

        error: `rollout` has no key `temprature`
          rollout temprature=0.7 topp=1
                  ^~~~~~~~~~
          did you mean `temperature`?
          try: rollout temperature=0.7 top_p=1

        error: operands are separated by blanks, not by commas
          rollout queries, temperature=0.7
                         ^
          try: rollout queries temperature=0.7

        error: the key `temperature` takes one value
          rollout temperature=0.7,1
                                 ^

        error: operands are separated by blanks, not by commas
          rollout temperature=0.7, top_p=1
                                 ^
          try: rollout temperature=0.7 top_p=1

        error: `sami>` is the prompt, not a part of the statement
          sami> rollout queries
          ^~~~~
          try: rollout queries

        error: `&&` is written `and` here
          rollout && score
                  ^~

        error: `rollout` is a command: its operands are written without brackets
          rollout(queries, temperature=0.7)
                 ^
          try: rollout queries temperature=0.7

        error: `rollout` is a command: its operands are written without brackets
          rollout()
                 ^
          try: rollout

        error: `rollout` takes no more operands
          rollout queries queries
                          ^~~~~~~
          usage: rollout [QUERIES] [temperature=…] [top_p=…] [max_tokens=…]

        error: the key `per_token` needs a value
          score per_token
                ^~~~~~~~~
          write `per_token=true`
          try: score per_token=true

        error: the key `normalize` needs a value
          score normalize
                ^~~~~~~~~
          write `normalize=mean`

        error: `normalize` must be `mean` or `sum`, found `men`
          score normalize=men
                          ^~~
          did you mean `mean`?
          try: score normalize=mean

        error: expected `mean` or `sum` after `normalize=`
          score normalize=
                          ^

        error: `per_token` must be `true` or `false`, found `yes`
          score per_token=yes
                          ^~~
          did you mean `true`?
          try: score per_token=true

        error: `score` is a command, so it cannot name a value
          score = 3
          ^~~~~
          choose another name, such as `my_score`
          try: my_score = 3

        error: `score` is a command, not a value; it makes `logprobs`
          x = score.shape
              ^~~~~
          try: x = logprobs.shape

        error: `score` is a command, not a value; it makes `logprobs`
          score.shape
          ^~~~~
          try: logprobs.shape

        error: `score` is a command, not a value; it makes `logprobs`
          score + 1
          ^~~~~
          try: logprobs + 1

        error: `score` is a command, not a value; it makes `logprobs`
          1 + score
              ^~~~~
          try: 1 + logprobs

        error: `rollout` is a command, not a value; it makes `rollouts`
          mean(rollout)
               ^~~~~~~
          try: mean(rollouts)
        """#)
}
