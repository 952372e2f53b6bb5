/// Words that hands type from other shells and languages, and how the same is done here.
public enum ForeignWord {
    /// Nil for any other word.
    public static func advice(_ word: String) -> String? { table[word] }

    private static let table = [
        "clear": "Ctrl-L clears the screen",
        "cd":
            "paths start from the folder that sami was started in; a path may be absolute or begin with ~",
        "pwd": "paths start from the folder that sami was started in",
        "dir": "`ls` lists the values of the workspace",
        "who": "`ls` lists the values of the workspace",
        "whos": "`ls` lists the values of the workspace",
        "print": "an expression shows its value: type it alone",
        "echo": "an expression shows its value: type it alone",
        "del": "`rm NAME` removes a value",
        "delete": "`rm NAME` removes a value",
        "import": "`source FILE` runs a script; `load` brings in data",
        "map": "[f(x) for x in list] applies a function to each item",
        "filter": "[x for x in list if condition] keeps some items",
        "reduce": "`sum`, `max`, `all` and other functions take a whole list",
        "break": "a loop runs to its end; [x for x in list if condition] selects before it",
        "continue": "an `if` in the loop leaves out what does not apply",
        "return": "a function is one expression: f(x) = expression",
        "elif": "else { if condition { … } }",
        "q": "`quit` leaves sami",
        "bye": "`quit` leaves sami",
        "logout": "`quit` leaves sami",
        "h": "`help` lists the commands",
        "def": "a function is written f(x) = expression",
        "lambda": "a function is written f(x) = expression",
        "function": "a function is written f(x) = expression",
        "while": "a loop is written for x in list { … }",
        "foreach": "a loop is written for x in list { … }",
        "save": "the workspace keeps every value; `export NAME FILE` writes a file",
        "restart": "`quit`, then start sami again: the workspace is kept",
        "man": "`help VERB` explains a verb",
        "run": "`source FILE` runs a script",
    ]
}
