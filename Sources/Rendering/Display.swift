/// The forms in which something can be shown. Each form is made when a host asks for it, so a
/// terminal makes no HTML and `--json` draws no table.
///
/// ```swift
/// let display = value.display(appearance)
/// print(display.text().rendered(appearance.color))
/// let page = display.html?() ?? "<pre>\(HTML.escaped(display.text().plain))</pre>"
/// ```
///
/// The closures hold the values that they show, so they always give the same answer.
public struct Display: Sendable {
    /// For a terminal or a log, in the appearance that the session had.
    public var text: @Sendable () -> StyledText
    /// A fragment of HTML without scripts, in which all text is escaped.
    public var html: (@Sendable () -> String)?
    /// A picture, one whole SVG document.
    public var svg: (@Sendable () -> String)?
    /// One line of JSON, for programs.
    public var json: (@Sendable () -> String)?

    public init(
        text: @escaping @Sendable () -> StyledText, html: (@Sendable () -> String)? = nil,
        svg: (@Sendable () -> String)? = nil, json: (@Sendable () -> String)? = nil
    ) {
        self.text = text
        self.html = html
        self.svg = svg
        self.json = json
    }

    /// Text that is already there. In HTML it is preformatted.
    public init(_ text: StyledText, json: (@Sendable () -> String)? = nil) {
        self.init(text: { text }, html: { text.html }, json: json)
    }

    /// The forms of a document, which is made anew for each of them.
    package init(
        _ appearance: Appearance, json: (@Sendable () -> String)? = nil,
        document: @autoclosure @escaping @Sendable () -> Document
    ) {
        self.init(
            text: { document().rendered(appearance) }, html: { document().html }, json: json)
    }

    /// The same display where something else is the result for programs.
    package var withoutJSON: Display {
        var copy = self
        copy.json = nil
        return copy
    }

    /// The same display with lines below it. The picture and the JSON stay as they are.
    package func followed(by lines: StyledText) -> Display {
        var copy = self
        let (text, html) = (text, html)
        copy.text = {
            var all = text()
            all.line(lines)
            return all
        }
        if let html { copy.html = { html() + lines.html } }
        return copy
    }
}
