import CommandLanguage
import Rendering
import Tokenizers
import Values

/// One verb: all that parsing, dispatch, help and completion know about it.
package struct Command: Sendable {
    package enum Group: String, Sendable, CaseIterable {
        case data = "Bring in"
        case method = "The method"
        case models = "Models"
        case looking = "Look"
        case memory = "The workspace"
        case session = "The session"
    }

    package var name: String
    package var summary: String
    var group: Group
    /// A few sentences for `help VERB`.
    var about: String
    var forms: [Form]

    package init(
        _ name: String, _ group: Group, _ summary: String, about: String = "", forms: [Form]
    ) {
        self.name = name
        self.summary = summary
        self.group = group
        self.about = about
        self.forms = forms
    }

    /// A verb with a single form.
    package init(
        _ name: String, _ group: Group, _ summary: String, about: String = "",
        makes: [String] = [], effect: Effect = .changes, operands: [OperandSpecification] = [],
        options: [OptionSpecification] = [], example: String,
        run: @escaping @Sendable (Invocation) throws -> CommandResult
    ) {
        self.init(
            name, group, summary, about: about,
            forms: [
                Form(
                    nil, summary, makes: makes, effect: effect, operands: operands,
                    options: options, example: example, run: run)
            ])
    }

    /// What a command does to the workspace.
    package enum Effect: Sendable {
        /// Binds values or random numbers: journaled, and refused when the workspace is read-only.
        case changes
        /// Draws random numbers or sets `_`, but binds nothing by itself: journaled where that is
        /// possible.
        case tries
        /// Only looks, or writes files outside.
        case looks
        /// Works on the journal itself, such as `undo`.
        case manages
    }

    package struct Form: Sendable {
        var selector: String?
        package var summary: String
        /// The objects it binds when no name is given, the main one first.
        package var makes: [String]
        package var effect: Effect
        package var operands: [OperandSpecification]
        package var options: [OptionSpecification]
        /// A line that a test runs.
        var example: String
        package var run: @Sendable (Invocation) throws -> CommandResult

        package init(
            _ selector: String?, _ summary: String, makes: [String] = [],
            effect: Effect = .changes, operands: [OperandSpecification] = [],
            options: [OptionSpecification] = [], example: String,
            run: @escaping @Sendable (Invocation) throws -> CommandResult
        ) {
            self.selector = selector
            self.summary = summary
            self.makes = makes
            self.effect = effect
            self.operands = operands
            self.options = options
            self.example = example
            self.run = run
        }
    }

    package func form(_ selector: String?) -> Form? { forms.first { $0.selector == selector } }

    package var verb: CommandSignature {
        CommandSignature(
            name, summary,
            forms: forms.map {
                CommandForm(
                    $0.selector, $0.summary, makes: $0.makes, operands: $0.operands,
                    options: $0.options)
            })
    }
}

/// What a command hands back.
package struct CommandResult {
    /// Names for what it made, the main one first: that one takes the name on the left of `=`.
    package var bindings: [(name: String, value: Value)] = []
    package var unbind: [String] = []
    /// What `_` is afterwards and what is drawn; the main binding's value unless given.
    package var value: Value?
    /// What is drawn in place of the value.
    package var text: StyledText?
    /// Sentences on what happened besides.
    package var notes: [String] = []
    package var media: [String: String] = [:]
    /// How to go on, where the person stopped the work and what it had done is kept.
    package var stopped: StoppedWork?

    package init() {}

    /// Binds one object.
    package init(_ object: String, _ value: some SessionObject, notes: [String] = []) {
        bindings = [(object, .object(value))]
        self.notes = notes
    }

    package init(value: Value, text: StyledText? = nil, notes: [String] = []) {
        self.value = value
        self.text = text
        self.notes = notes
    }

    package init(text: StyledText, media: [String: String] = [:]) {
        self.text = text
        self.media = media
    }

    package init(note: String) { notes = [note] }
}
