/// Parts that stand one below the other: styled text, tables, heat maps, token strips, pictures.
///
/// One description gives the text of a terminal and the HTML of a notebook. It is built like a
/// ``StyledText``, and a part begins a new line in both.
public struct Document: Sendable {
    private enum Part: Sendable {
        case text(StyledText)
        case table(Table, showsTitles: Bool)
        case heatMap(HeatMap)
        case strip(TokenStrip)
        case picture(Picture)
        case rates(RateBars)
    }

    private var parts: [Part] = []

    package init() {}

    package init(_ text: StyledText) { line(text) }

    package init(_ text: String, _ style: TextStyle = .plain) { line(text, style) }

    package var isEmpty: Bool { parts.isEmpty }

    // MARK: Building

    /// Continues the last line; begins one after a part that is not text.
    package mutating func append(_ text: String, _ style: TextStyle = .plain) {
        append(StyledText(text, style))
    }

    package mutating func append(_ text: StyledText) {
        guard case .text(var last)? = parts.last else { return parts.append(.text(text)) }
        last.append(text)
        parts[parts.count - 1] = .text(last)
    }

    package mutating func line(_ text: String, _ style: TextStyle = .plain) {
        line(StyledText(text, style))
    }

    package mutating func line(_ text: StyledText) {
        guard case .text(var last)? = parts.last else { return parts.append(.text(text)) }
        // An empty line below another part is a line all the same.
        if last.isEmpty, parts.count > 1 { last.append("\n") } else { last.line("") }
        last.append(text)
        parts[parts.count - 1] = .text(last)
    }

    package mutating func line(_ table: Table, showsTitles: Bool = true) {
        parts.append(.table(table, showsTitles: showsTitles))
    }

    package mutating func line(_ map: HeatMap) { parts.append(.heatMap(map)) }

    package mutating func line(_ strip: TokenStrip) { parts.append(.strip(strip)) }

    package mutating func line(_ picture: Picture) { parts.append(.picture(picture)) }

    package mutating func line(_ rates: RateBars) { parts.append(.rates(rates)) }

    package mutating func line(_ other: Document) {
        for part in other.parts {
            if case .text(let text) = part { line(text) } else { parts.append(part) }
        }
    }

    // MARK: Forms

    /// The text for a terminal: each part in lines of its own.
    public func rendered(_ appearance: Appearance) -> StyledText {
        var text = StyledText()
        for part in parts {
            switch part {
            case .text(let lines): text.line(lines)
            case .table(let table, let showsTitles):
                text.line(table.rendered(appearance, showsTitles: showsTitles))
            case .heatMap(let map): text.line(map.rendered(appearance))
            case .strip(let strip): text.line(strip.rendered(appearance))
            case .picture(let picture): text.line(picture.rendered(appearance))
            case .rates(let rates): text.line(rates.rendered(appearance))
            }
        }
        return text
    }

    /// A fragment of HTML: `<pre>`, `<table>`, and pictures as inline SVG. All text is escaped, and
    /// there is no script and no address in it.
    public var html: String {
        parts.map { part in
            switch part {
            case .text(let text): text.html
            case .table(let table, let showsTitles): table.html(showsTitles: showsTitles)
            case .heatMap(let map): map.html
            case .strip(let strip): strip.html
            case .picture(let picture): picture.html
            case .rates(let rates): rates.html
            }
        }.joined()
    }
}
