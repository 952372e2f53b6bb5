/// A transcript that was copied from a terminal: lines with the prompt, and outputs between them.
public enum Transcript {
    private static let prompt = Array("sami>".utf8)

    /// The statements of a transcript. Prompts and outputs become blanks, so that every place of a
    /// statement stays as it was. Nil if the text does not begin with a prompt.
    ///
    /// A statement of several lines goes on as long as it is incomplete; `isIncomplete` says so.
    public static func statements(
        of source: String, isIncomplete: (String) -> Bool
    ) -> String? {
        let lines = source.split(separator: "\n", omittingEmptySubsequences: false)
        guard let first = lines.first(where: { !$0.allSatisfy(\.isWhitespace) }),
            starts(first)
        else { return nil }
        var result: [String] = []
        var open: String?
        for line in lines {
            if starts(line) {
                let text = withoutPrompt(line)
                result.append(text)
                open = isIncomplete(text) ? text : nil
            } else if let begun = open {
                result.append(String(line))
                let whole = begun + "\n" + line
                open = isIncomplete(whole) ? whole : nil
            } else {
                result.append(String(repeating: " ", count: line.utf8.count))
            }
        }
        return result.joined(separator: "\n")
    }

    private static func starts(_ line: Substring) -> Bool {
        line.drop(while: \.isWhitespace).utf8.starts(with: prompt)
    }

    private static func withoutPrompt(_ line: Substring) -> String {
        let blanks = line.utf8.count - line.drop(while: \.isWhitespace).utf8.count
        let rest = line.utf8.dropFirst(blanks + prompt.count)
        return String(repeating: " ", count: blanks + prompt.count)
            + String(decoding: rest, as: UTF8.self)
    }
}
