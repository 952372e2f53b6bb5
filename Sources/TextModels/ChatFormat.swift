import ChatTemplates
import Foundation
import JSON
import Tokenizers

/// The format in which an instruct model was trained to read conversations: its chat template, and
/// the joint of prompt and answer that follows from it.
public struct ChatFormat: Sendable {
    /// A conversation as text, special tokens included; the flag asks for the marks that begin an
    /// answer.
    public typealias Writer = @Sendable ([ChatMessage], Bool) throws -> String

    private let write: Writer
    /// The blanks that the template writes between the beginning of an answer and its text:
    /// `[/INST] Hello` has one. Empty if there are none.
    public let separator: String
    /// The spelling of the token after an answer (`<|im_end|>`); nil if that is no single token.
    public let endOfTurn: String?

    /// - Throws: an error of the template for the shortest conversation;
    ///   `ChatFormatError.unknownMark` if the template ends an answer with a mark that the
    ///   tokenizer does not know: it was then written for another tokenizer, and no answer would
    ///   end.
    public init(_ tokenizer: Tokenizer, write: @escaping Writer) throws {
        self.write = write
        let question = ChatMessage(role: "user", content: "What is it?")
        let answer = "It is this."
        let prompt = try write([question], true)
        guard prompt.contains(question.content) else { throw ChatFormatError.silent }
        // Some templates write no answers; then nothing is known about the joint.
        let whole =
            (try? write([question, ChatMessage(role: "assistant", content: answer)], false)) ?? ""
        guard let place = whole.range(of: answer, options: .backwards) else {
            (separator, endOfTurn) = ("", nil)
            return
        }
        let lead =
            whole.utf8.starts(with: prompt.utf8)
            ? String(
                decoding: whole[..<place.lowerBound].utf8.dropFirst(prompt.utf8.count),
                as: UTF8.self) : ""
        separator = lead.allSatisfy(\.isWhitespace) ? lead : ""
        let tail = String(whole[place.upperBound...].drop(while: \.isWhitespace))
        let end = tokenizer.encode(tail, special: false).first
        if let end, tokenizer.isAdded(end) {
            endOfTurn = tokenizer.token(end)
        } else if let mark = ChatFormat.mark(at: tail) {
            throw ChatFormatError.unknownMark(mark)
        } else {
            endOfTurn = nil
        }
    }

    /// A mark such as `<|im_end|>` at the beginning of a text.
    private static func mark(at text: String) -> String? {
        guard text.hasPrefix("<"), let end = text.firstIndex(of: ">") else { return nil }
        let mark = text[...end]
        return mark.contains(where: \.isWhitespace) ? nil : String(mark)
    }

    /// The format of a template in a model's directory.
    ///
    /// - Parameters:
    ///   - name: of the template, if the directory has several.
    ///   - date: the day that the template is told, if it asks for it.
    /// - Throws: the same; `ChatFormatError.noTemplate`.
    public init(
        _ directory: TokenizerDirectory, template name: String = "default",
        date: TemplateDate = TemplateDate()
    ) throws {
        guard let template = try directory.template(name) else {
            throw ChatFormatError.noTemplate(name, known: directory.templates.keys.sorted())
        }
        let tokens = directory.specialTokens.mapValues { JSON.string($0) }
        try self.init(directory.tokenizer) { messages, asksForAnswer in
            try template.render(
                messages: messages, addGenerationPrompt: asksForAnswer, variables: tokens,
                now: date.noon)
        }
    }

    /// The text that ends where the model's answer begins.
    ///
    /// If the template refuses a system message, or leaves it out, its text begins the first
    /// message of the user. A last message of the assistant begins the answer.
    public func prompt(_ messages: [ChatMessage]) throws -> String {
        if let last = messages.last, last.role == "assistant" {
            return try prompt(messages.dropLast()) + separator + last.content
        }
        guard let first = messages.first, first.role == "system", messages.count > 1 else {
            return try write(messages, true)
        }
        do {
            let text = try write(messages, true)
            if text.contains(first.content.trimmed) { return text }
        } catch TemplateError.refused {
            // The template has no place for it.
        }
        var merged = Array(messages.dropFirst())
        merged[0].content = first.content.trimmed + "\n\n" + merged[0].content
        return try write(merged, true)
    }
}

/// The day that a chat template is told.
///
/// It stands still: with a clock the same statement would give other prompts on another day, and
/// a replay other results.
public struct TemplateDate: Sendable, Hashable {
    /// `2024-07-26`
    public let text: String
    let noon: Date

    /// The day that Llama 3's template takes when it is told none.
    public init() {
        text = "2024-07-26"
        noon = Date(timeIntervalSince1970: 1_721_995_200)
    }

    /// A day as `2024-07-26`; nil for anything else.
    public init?(_ text: String) {
        let format = Date.ISO8601FormatStyle(timeZone: .gmt).year().month().day()
        guard text.count == 10, let day = try? format.parse(text) else { return nil }
        self.text = text
        noon = day.addingTimeInterval(43_200)
    }
}

/// Faults of a chat template that would give wrong prompts.
public enum ChatFormatError: Error, Sendable, Hashable {
    /// There is no template of the name.
    case noTemplate(String, known: [String])
    /// The template does not write what the user says.
    case silent
    /// The template ends an answer with a mark that is no token.
    case unknownMark(String)
}

extension ChatFormatError: CustomStringConvertible {
    public var description: String {
        switch self {
        case .noTemplate("default", let known) where !known.isEmpty:
            "The directory has the chat templates \(known.joined(separator: ", ")), and none is "
                + "`default`."
        case .noTemplate("default", _):
            "The model's directory has no chat template (chat_template.jinja, or chat_template in "
                + "tokenizer_config.json)."
        case .noTemplate(let name, let known):
            "There is no chat template \(name); the directory has "
                + (known.isEmpty ? "none" : known.joined(separator: ", ")) + "."
        case .silent: "The chat template leaves out what the user says."
        case .unknownMark(let mark):
            "The chat template ends an answer with \(mark), which is no token of this tokenizer: "
                + "the template is for another one, and no answer would end."
        }
    }
}

extension Tokenizer {
    /// Whether an id stands for one of the added tokens, which text is searched for before it is
    /// split.
    fileprivate func isAdded(_ id: Int32) -> Bool {
        isSpecial(id) || addedTokens.contains { $0.id == id }
    }
}
