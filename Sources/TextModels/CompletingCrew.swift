import LongWork
import Tokenizers
import Transformers

/// The stop strings of a completion, and the tokenizer that finds them.
public struct CompletionStops: Sendable {
    public var tokenizer: Tokenizer
    public var strings: [String]

    public init(_ tokenizer: Tokenizer, _ strings: [String]) {
        self.tokenizer = tokenizer
        self.strings = strings
    }

    /// For `LanguageModel.generate`: whether a response is complete; nil without stop strings.
    ///
    /// - Parameter prompts: those of the requests.
    package func check(_ prompts: [[Int32]]) -> ((Int, [Int32]) -> Bool)? {
        let stops = StopStrings(strings)
        guard stops.longest > 0 else { return nil }
        return { number, tokens in
            // A token of text has at least one byte, so the stop string ends within this many
            // tokens.
            let window = stops.longest + 1
            guard tokens.count > window else {
                return stops.occur(in: tokenizer.addedText(tokens, after: prompts[number]))
            }
            return stops.occur(in: tokenizer.decode(tokens.suffix(window)))
        }
    }
}

/// A crew that samples.
public protocol CompletingCrew: Crew {
    /// `LanguageModel.generate`, divided over the processes.
    ///
    /// - Parameter progress: if it answers `.stop`, unfinished responses are returned with their
    ///   tokens so far, as `.interrupted`.
    func generate(
        _ requests: [GenerationRequest], _ settings: SamplerSettings, stops: CompletionStops,
        _ model: LanguageModel, progress: (CrewProgress) -> Continuation
    ) throws -> [Generation]
}

extension Tokenizer {
    /// The text that tokens add to a prompt.
    ///
    /// Some tokenizers drop the blank before the first word of a text. So the tokens are decoded
    /// together with the prompt's last token, and the text of that token is removed.
    func addedText(_ tokens: some Sequence<Int32>, after prompt: [Int32]) -> String {
        // A special token decodes to an empty text, so the text would begin after it.
        let lead = prompt.last { !isSpecial($0) }.map { [$0] } ?? []
        let head = decode(lead)
        let whole = decode(lead + Array(tokens))
        guard whole.utf8.starts(with: head.utf8) else { return decode(tokens) }
        return String(decoding: whole.utf8.dropFirst(head.utf8.count), as: UTF8.self)
    }
}
