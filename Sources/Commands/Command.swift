import CommandLanguage
import Rendering
import Tokenizers
import Values

/// One verb: the data that parsing, dispatch, help and completion use.
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

    /// The effect of a command on the workspace.
    package enum Effect: Sendable {
        /// Binds values or draws random numbers: journaled, and refused if the workspace is
        /// read-only.
        case changes
        /// Draws random numbers or sets `_`, but binds no name: journaled if the workspace is
        /// writable.
        case tries
        /// Only reads, or writes files outside the workspace.
        case looks
        /// Works on the journal itself, such as `undo`.
        case manages
    }

    /// One form of a verb: the syntax after the verb, and the function that runs it.
    package struct Form: Sendable {
        /// The form as the parser, diagnostics, completion and help read it.
        package let syntax: CommandForm
        package var effect: Effect
        /// A statement that a test runs.
        var example: String
        package var run: @Sendable (Invocation) throws -> CommandResult

        package init(
            _ selector: String?, _ summary: String, makes: [String] = [],
            effect: Effect = .changes, operands: [OperandSpecification] = [],
            options: [OptionSpecification] = [], example: String,
            run: @escaping @Sendable (Invocation) throws -> CommandResult
        ) {
            syntax = CommandForm(
                selector, summary, makes: makes, operands: operands, options: options)
            self.effect = effect
            self.example = example
            self.run = run
        }
    }

    package func form(_ selector: String?) -> Form? {
        forms.first { $0.syntax.selector == selector }
    }

    package var signature: CommandSignature {
        CommandSignature(name, summary, forms: forms.map(\.syntax))
    }
}

/// The result of a command.
package struct CommandResult {
    /// Names of the values that it made, the main one first. A name on the left of `=` replaces the
    /// main name.
    package var bindings: [(name: String, value: Value)] = []
    package var unbind: [String] = []
    /// The new value of `_`, which is also displayed; the main binding's value by default.
    package var value: Value?
    /// Displayed in place of the value, one below the other. The JSON of the last one that has any
    /// is the result for `--json`, in place of the value; it does not become `_`.
    package var displays: [Display] = []
    /// Sentences about side effects.
    package var notes: [String] = []
    /// The state for `resume`, if the user stopped the work and part of it is kept.
    package var stopped: StoppedWork?

    package init() {}

    /// Binds one object.
    package init(_ object: String, _ value: some SessionObject, notes: [String] = []) {
        bindings = [(object, .object(value))]
        self.notes = notes
    }

    package init(value: Value, _ displays: Display..., notes: [String] = []) {
        self.value = value
        self.displays = displays
        self.notes = notes
    }

    package init(_ displays: Display...) { self.displays = displays }

    package init(text: StyledText) { displays = [Display(text)] }

    /// Something that is only looked at: a document for people, data for programs.
    init(_ document: Document, _ appearance: Appearance, data: Value? = nil) {
        displays = [Display(document, appearance, data: data)]
    }

    package init(note: String) { notes = [note] }
}

extension Display {
    /// A document for people, and the same as data for programs.
    init(_ document: Document, _ appearance: Appearance, data: Value? = nil) {
        self.init(appearance, document: document)
        if let data { json = { data.printedJSON } }
    }

    init(_ text: StyledText, data: Value) {
        self.init(text, json: { data.printedJSON })
    }
}
