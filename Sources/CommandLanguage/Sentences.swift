/// The sentences for every problem: the fault, the correct form, and a suggestion.
extension Problem {
    var message: String {
        switch self {
        case .unknownCharacter(let scalar):
            "\(scalar.described) has no meaning here"
        case .operatorSpelling(let found, let use):
            ["\"", "'"].contains(use)
                ? "text needs straight quotes, not \(found)"
                : "`\(found)` is written `\(use)` here"
        case .badNumber(let text): "`\(text.shortened)` is not a number"
        case .numberTooLarge(let text): "`\(text.shortened)` is too large for a number"
        case .wholeNumberInexact(let text):
            "`\(text.shortened)` cannot be represented exactly: whole numbers are exact up to 2^53"
        case .unknownEscape(let text):
            "`\(text.shortened)` has no meaning inside quotes"
        case .unclosedText: "the text that starts here has no closing quote"
        case .unfinishedLine: "the `\\` joins the next line to this one, but there is none"
        case .unclosed(let bracket): "the `\(bracket)` opened here is never closed"
        case .unopened(let bracket): "nothing was opened that `\(bracket)` could close"
        case .tooDeep(let limit): "this nests deeper than \(limit) levels"
        case .expected(let expectation, let found): "expected \(expectation), found \(found)"
        case .expectedEnd(let found):
            "expected an operator or the end of the statement, found \(found)"
        case .chainedComparison: "comparisons cannot be chained"
        case .assignmentInExpression: "a name is given only at the start of a statement"
        case .tuple: "a list is written between `[` and `]`"
        case .bareRecordKey(let key): "the key `\(key.shortened)` of a record needs quotes"
        case .methodCall(let name):
            "values have fields but no methods, so `.\(name)(…)` is not possible"
        case .callOfValue: "only a function can be called"
        case .unknownFunction(let name, _): "there is no function `\(name.shortened)`"
        case .functionAsName(let name):
            "`\(name)` is a function of the language, so it cannot be defined"
        case .blockWithColon: "the statements stand between `{` and `}`, not after a colon"
        case .elseAlone: "`else` follows the `}` of its `if` on the same line"
        case .repeatedKey(let key): "`\(key.shortened)` is given twice"
        case .verbAsName(let verb): "`\(verb)` is a command, so it cannot name a value"
        case .verbAsValue(let verb, let makes):
            if let noun = makes.first {
                "`\(verb)` is a command, not a value; it makes `\(noun)`"
            } else {
                "`\(verb)` is a command, not a value"
            }
        case .wordAsName(let word): "`\(word)` is a word of the language, so it cannot name a value"
        case .lastResultAsName: "`_` always is the last result, so it cannot be given"
        case .badTarget: "only names, or one part of a value, can stand on the left of `=`"
        case .timeNotFirst: "`time` comes first in a statement"
        case .functionWithoutBrackets(let name):
            "`\(name)` is a function, so its argument stands in brackets"
        case .unknownCommand(let name, _): "there is no command `\(name.shortened)`"
        case .missingForm(let verb, let forms):
            "`\(verb)` must be followed by \(forms.alternatives)"
        case .unknownForm(let verb, let found, let forms, _):
            "`\(verb)` must be followed by \(forms.alternatives), found \(found)"
        case .unknownKey(let command, let key, _, _):
            "`\(command)` has no key `\(key.shortened)`"
        case .missingValue(let key, let kind): "expected \(kind.words) after `\(key)=`"
        case .wrongWord(let role, let found, let words, let other, _):
            "\(role) must be \(words.alternatives)" + (other.map { " or \($0)" } ?? "")
                + ", found \(found)"
        case .missingOperand(let command, let role, let kind, _) where kind.words == "`\(role)`":
            "`\(command)` needs the word \(kind.words)"
        case .missingOperand(let command, let role, let kind, _):
            "`\(command)` needs \(role.uppercased()): \(kind.words)"
        case .tooManyOperands(let command, let most, _):
            "`\(command)` takes \(most == 0 ? "no operands" : "no more operands")"
        case .keyWithoutValue(let key, _): "the key `\(key)` needs a value"
        case .commaBetweenOperands: "operands are separated by blanks, not by commas"
        case .commaAfterOption(let key): "the key `\(key)` takes one value"
        case .pastedPrompt: "`sami>` is the prompt, not a part of the statement"
        case .bracketsAroundOperands(let verb):
            "`\(verb)` is a command: its operands are written without brackets"
        case .escapedBlank: "a path with a blank needs quotes"
        case .quoteInsideWord: "quotes go around the whole path"
        case .textNeedsQuotes: "text needs quotes"
        case .commentMark: "a comment starts with `#`"
        case .helpMark: "`?` has no meaning here"
        case .questionMark: "`?` chooses no value here"
        case .shellCommand: "`!` runs no shell command here"
        case .textWithValues: "f\"…\" is not text here; values join a text with +"
        }
    }

    /// The remedy, if the message does not already say it.
    var suggestion: String? {
        switch self {
        case .operatorSpelling, .expected, .expectedEnd, .unclosedText, .unopened, .repeatedKey,
            .verbAsValue, .missingForm, .missingValue, .badTarget, .timeNotFirst,
            .commaBetweenOperands, .commaAfterOption, .pastedPrompt, .bracketsAroundOperands,
            .escapedBlank, .quoteInsideWord,
            .unfinishedLine, .unclosed, .unknownCharacter, .textNeedsQuotes, .methodCall,
            .commentMark,
            .bareRecordKey, .tuple, .elseAlone:
            nil
        case .badNumber: "numbers look like 12, 0.5, 1e-4 or 1_000"
        case .numberTooLarge: "the largest is about 1.8e308"
        case .wholeNumberInexact: "put it in quotes, or write it with an exponent"
        case .unknownEscape:
            "known are \\n \\t \\r \\\" \\\\ \\u{1F600}; a backslash itself is written \\\\"
        case .tooDeep: "give a part of it a name in a statement of its own"
        case .chainedComparison: "join two comparisons with `and`"
        case .assignmentInExpression: "to compare, write `==`"
        case .callOfValue: "to take an element, write x[i]"
        case .unknownFunction(let name, let nearest):
            Problem.didYouMean(nearest) ?? ForeignWord.advice(name)
        case .functionAsName(let name): "choose another name, such as `my_\(name)`"
        case .blockWithColon: "write `for x in list { … }` or `if condition { … }`"
        case .verbAsName(let verb): "choose another name, such as `my_\(verb)`"
        case .wordAsName(let word): "choose another name, such as `my_\(word.lowercased())`"
        case .lastResultAsName: "choose another name"
        case .unknownCommand(let name, let nearest):
            Problem.didYouMean(nearest) ?? ForeignWord.advice(name) ?? "`help` lists the commands"
        case .functionWithoutBrackets(let name): "\(name)(…)"
        case .unknownForm(_, _, _, let nearest): Problem.didYouMean(nearest)
        case .unknownKey(let command, _, let keys, let nearest):
            Problem.didYouMean(nearest) ?? Problem.allowed(keys, of: command)
        case .wrongWord(let role, let found, _, _, nil) where role == found:
            "parentheses give the value of a name: \(role.filter { $0 != "`" })="
                + "(\(found.filter { $0 != "`" }))"
        case .wrongWord(_, _, _, _, let nearest): Problem.didYouMean(nearest)
        case .missingOperand(_, _, _, let usage), .tooManyOperands(_, _, let usage):
            "usage: \(usage)"
        case .keyWithoutValue(_, let example): "write \(example)"
        case .questionMark: "a choice is written `a if condition else b`"
        case .shellCommand: "Ctrl-Z leads to your shell, and `fg` back"
        case .textWithValues: "for example \"loss \" + str(0.5)"
        case .helpMark(let verb): "for help, write `help\(verb.map { " \($0)" } ?? "")`"
        }
    }

    private static func allowed(_ keys: [String], of command: String) -> String {
        switch keys.count {
        case 0: "it takes no keys"
        case 1: "its only key is \(keys.enumeration)"
        case 2...12: "its keys are \(keys.enumeration)"
        default: "`help \(command)` lists its \(keys.count) keys"
        }
    }

    static func closing(_ bracket: String) -> String {
        switch bracket {
        case "(": ")"
        case "[": "]"
        default: "}"
        }
    }

    private static func didYouMean(_ nearest: String?) -> String? {
        nearest.map { "did you mean `\($0)`?" }
    }
}

extension [String] {
    /// "`a`, `b` or `c`"; at most twelve items, then the number of the others.
    var alternatives: String { joined(by: "or") }

    /// "`a`, `b` and `c`"
    var enumeration: String { joined(by: "and") }

    private func joined(by conjunction: String) -> String {
        let shown = prefix(12).map { "`\($0)`" }
        if count > 12 {
            return shown.joined(separator: ", ") + " \(conjunction) \(count - 12) more"
        }
        guard let last = shown.last, shown.count > 1 else { return shown.first ?? "" }
        return shown.dropLast().joined(separator: ", ") + " \(conjunction) " + last
    }
}

extension Unicode.Scalar {
    var described: String {
        let code = String(value, radix: 16, uppercase: true)
        let padded = String(repeating: "0", count: max(0, 4 - code.count)) + code
        let isPrintable = value > 0x20 && displayWidth > 0 && value != 0x7F && value != 0xFFFD
        if self == "\u{FFFD}" { return "a byte that is not UTF-8 text" }
        return isPrintable ? "`\(Character(self))`" : "the character U+\(padded)"
    }
}

extension ArgumentKind {
    /// "a number", "`mean` or `sum`": the expected input in a diagnostic.
    var described: ArgumentDescription { ArgumentDescription(words) }

    private var words: String {
        switch self {
        case .value: "a value of the workspace"
        case .object(let kind): "a value of kind `\(kind)`"
        case .expression: "a value"
        case .number: "a number"
        case .text: "text in quotes"
        case .flag: "true or false"
        case .name: "a name"
        case .word: "a word"
        case .topic: "a topic of `help`"
        case .words(let choices): choices.map(\.word).alternatives
        case .path: "a path"
        case .either(let choices, let other):
            (choices.isEmpty ? "" : choices.map { "`\($0.word)`" }.joined(separator: ", ") + " or ")
                + other.words
        }
    }
}

extension CommandForm {
    /// `load queries PATH [count=…]`: one line with the form of the command.
    func usage(verb: String) -> String {
        var parts = [verb]
        if let selector { parts.append(selector) }
        for operand in operands {
            parts.append(operand.isRequired ? operand.title : "[\(operand.title)]")
        }
        parts += options.prefix(6).map { "[\($0.key)=…]" }
        if options.count > 6 { parts.append("[…]") }
        return parts.joined(separator: " ")
    }
}
