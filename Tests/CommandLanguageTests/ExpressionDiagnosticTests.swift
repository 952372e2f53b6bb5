import Testing

@testable import CommandLanguage

/// Names, operators, brackets, numbers and text. Each block is a rendered diagnostic; its second
/// line is the typed statement.
@Suite struct ExpressionDiagnosticTests {
    @Test(
        "diagnostics point at the place, say what is wrong, and show what would be right",
        arguments: sentences.components)
    func rendered(expected: String) {
        let source = typed(expected)
        #expect(render(source) == expected)
    }

    static let sentences = Sentences(
        #"""
        error: `time` is a command, so it cannot name a value
          time = 3
          ^~~~
          choose another name, such as `my_time`
          try: my_time = 3

        error: expected a statement after `time`, found the end
          time
              ^

        error: `time` comes first in a statement
          x = time score
              ^~~~
          try: time x = score

        error: `true` is a word of the language, so it cannot name a value
          true = 1
          ^~~~
          choose another name, such as `my_true`
          try: my_true = 1

        error: `_` always is the last result, so it cannot be given
          _ = 3
          ^
          choose another name

        error: only names, or one part of a value, can stand on the left of `=`
          x[0:2] = 3
          ^~~~~~

        error: only names, or one part of a value, can stand on the left of `=`
          f(x).y = 3
          ^~~~~~

        error: a list is written between `[` and `]`
          a, 3 = 1
           ^

        error: a list is written between `[` and `]`
          1, 2
           ^

        error: a name is given only at the start of a statement
          x = a = b
                ^
          to compare, write `==`
          try: x = a == b

        error: `show` has no key `a`
          show a = b
               ^
          it takes no keys

        error: comparisons cannot be chained
          a < b < c
                ^
          join two comparisons with `and`
          try: a < b and b < c

        error: a list is written between `[` and `]`
          (1, 2)
          ^
          try: [1, 2]

        error: a list is written between `[` and `]`
          x = (1, [2, 3])
              ^
          try: x = [1, [2, 3]]

        error: the key `a` of a record needs quotes
          {a: 1}
           ^
          try: {"a": 1}

        error: expected a key in quotes or `}`, found `1`
          {1: 2}
           ^

        error: values have fields but no methods, so `.mean(…)` is not possible
          x.mean()
            ^~~~
          try: mean(x)

        error: values have fields but no methods, so `.mean(…)` is not possible
          x.mean(axis=0)
            ^~~~
          try: mean(x, axis=0)

        error: there is no function `meen`
          meen(x)
          ^~~~
          did you mean `mean`?
          try: mean(x)

        error: only a function can be called
          f(1)(2)
          ^~~~
          to take an element, write x[i]

        error: `a` is given twice
          f(a=1, a=2)
                 ^

        error: expected `,` or `)`, found `y`
          f(x y)
              ^

        error: expected `,` or `]`, found `2`
          [1 2]
             ^

        error: the `[` opened here is never closed
          x[0
           ^

        error: the `[` opened here is never closed
          x[
           ^

        error: expected an index, found `]`
          x[]
            ^

        error: the `(` opened here is never closed
          (1 + 2
          ^

        error: expected a value, found `)`
          x = )
              ^

        error: nothing was opened that `]` could close
          x]
           ^
          try: x

        error: expected `)`, found `]`
          (1]
            ^

        error: expected a value, found the end
          1 +
             ^

        error: there is no command `a`
          a b
          ^
          `help` lists the commands

        error: there is no command `a`
          a 3
          ^
          `help` lists the commands

        error: `12abc` is not a number
          12abc
          ^~~~~
          numbers look like 12, 0.5, 1e-4 or 1_000

        error: `0x1F` is not a number
          0x1F
          ^~~~
          numbers look like 12, 0.5, 1e-4 or 1_000

        error: `1e999` is too large for a number
          1e999
          ^~~~~
          the largest is about 1.8e308

        error: `12345678901234567890` cannot be represented exactly: whole numbers are exact up to 2^53
          12345678901234567890
          ^~~~~~~~~~~~~~~~~~~~
          put it in quotes, or write it with an exponent

        error: `1__0.5` is not a number
          1__0.5
          ^~~~~~
          numbers look like 12, 0.5, 1e-4 or 1_000

        error: `\q` has no meaning inside quotes
          "a\qb"
            ^~
          known are \n \t \r \" \\ \u{1F600}; a backslash itself is written \\
          try: "a\\qb"

        error: the text that starts here has no closing quote
          "abc
          ^

        error: the text that starts here has no closing quote
          'it
          ^

        error: `&&` is written `and` here
          a && b
            ^~
          try: a and b

        error: `^` is written `**` here
          a ^ 2
            ^
          try: a ** 2

        error: `!` is written `not` here
          x = !a
              ^
          try: x = not a

        error: `<>` is written `!=` here
          a <> b
            ^~
          try: a != b

        error: text needs straight quotes, not “
          “text”
          ^
          try: "text"

        error: text needs straight quotes, not “
          generate “Once upon a time”
                   ^
          try: generate "Once upon a time"

        error: `−` is written `-` here
          x = 3 − 1
                ^
          try: x = 3 - 1

        error: `$` has no meaning here
          x = $y
              ^

        error: expected a value, found `%`
          %time score
          ^

        error: `?` has no meaning here
          load?
              ^
          for help, write `help load`

        error: `?` has no meaning here
          ?load
          ^
          for help, write `help load`

        error: `?` has no meaning here
          x?
           ^
          for help, write `help`

        error: `!` runs no shell command here
          !ls
          ^
          Ctrl-Z leads to your shell, and `fg` back

        error: expected a value, found `)`
          x = 世界 + )
                     ^

        error: nothing was opened that `)` could close
          x = "世界😀" )
                       ^
          try: x = "世界😀"

        error: text needs quotes
          generate once upon a time
                   ^~~~~~~~~~~~~~~~
          try: generate "once upon a time"

        error: text needs quotes
          generate hello world;
                   ^~~~~~~~~~~
          try: generate "hello world"

        error: a path with a blank needs quotes
          load queries my\ file.jsonl split=test
                       ^~~~~~~~~~~~~~
          try: load queries "my file.jsonl" split=test

        error: quotes go around the whole path
          load queries a/"b c"/d.jsonl
                       ^~~~~~~~~~~~~~~
          try: load queries "a/b c/d.jsonl"

        error: quotes go around the whole path
          load queries "a"b
                       ^~~~
          try: load queries "ab"

        error: expected a name for NAMES of `rm`, found `3`
          rm 3
             ^

        error: `score` is a command, not a value; it makes `logprobs`
          rm score
             ^~~~~
          try: rm logprobs

        error: `export` needs FILE: a path
          export logprobs
                         ^
          usage: export VALUE FILE

        error: `export` needs VALUE: a value of the workspace
          export
                ^
          usage: export VALUE FILE

        error: expected `model` or a value of the workspace after `writer=`
          judge writer=
                       ^

        error: the `\` joins the next line to this one, but there is none
          x = a \
                ^

        error: the `(` opened here is never closed
          ((((((((((
                   ^

        error: a comment starts with `#`
          // comment
          ^~

        error: operands are separated by blanks, not by commas
          rollout, queries
                 ^
          try: rollout queries

        error: the key `temperature` needs a value
          rollout queries temperature
                          ^~~~~~~~~~~
          write `temperature=…`, which is a number
        """#)
}
