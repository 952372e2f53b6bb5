import Foundation

/// Text in HTML and SVG.
///
/// JupyterLab cleans the outputs of a notebook that nobody has run yet: it removes inline SVG, and
/// declarations with `currentColor` or `anywhere`. So drawings are images here, and other words
/// stand for the same.
public enum HTML {
    /// The ink of drawings without a ground of their own: legible on white and on black.
    static let ink = "#7a7a7a"
    /// Preformatted text stands flush with the tables around it, and breaks between words.
    static let preformatted =
        "margin: 0; padding: 0; white-space: pre-wrap; word-break: normal; "
        + "overflow-wrap: break-word"

    /// Grounds are printed too.
    static let printed = "-webkit-print-color-adjust: exact; print-color-adjust: exact"

    /// A text whose every character stands for itself, between tags and in quoted attributes.
    /// Control characters, which HTML does not allow, become U+FFFD.
    public static func escaped(_ text: some StringProtocol) -> String {
        var result = ""
        result.reserveCapacity(text.utf8.count)
        for scalar in text.unicodeScalars {
            switch scalar {
            case "&": result += "&amp;"
            case "<": result += "&lt;"
            case ">": result += "&gt;"
            case "\"": result += "&quot;"
            case "'": result += "&#39;"
            case "\n", "\t": result.unicodeScalars.append(scalar)
            case _ where scalar.value < 0x20 || (0x7F..<0xA0).contains(scalar.value):
                result += "\u{FFFD}"
            default: result.unicodeScalars.append(scalar)
            }
        }
        return result
    }

    /// A drawing in a page. Nothing in an image can run or be loaded.
    static func image(_ svg: String, _ description: String) -> String {
        "<img alt=\"\(escaped(description))\" src=\"data:image/svg+xml;base64,"
            + Data(svg.utf8).base64EncodedString() + "\">"
    }

    /// A tag with its content, which is HTML already. An empty `style` or `title` is left out.
    package static func element(
        _ tag: String, style: String = "", title: String = "", _ content: String
    ) -> String {
        var opening = tag
        if !style.isEmpty { opening += " style=\"\(escaped(style))\"" }
        if !title.isEmpty { opening += " title=\"\(escaped(title))\"" }
        return "<\(opening)>\(content)</\(tag)>"
    }
}

extension StyledText {
    /// Preformatted text, its styles as spans; empty for an empty text.
    public var html: String {
        guard !isEmpty else { return "" }
        // HTML drops a line end directly after `<pre>`.
        let start = plain.hasPrefix("\n") ? "\n" : ""
        return HTML.element(
            "pre", style: HTML.preformatted,
            start
                + runs.map { run in
                    let text = HTML.escaped(run.text)
                    let style = run.style.css
                    return style.isEmpty ? text : HTML.element("span", style: style, text)
                }.joined())
    }
}

extension TextStyle {
    /// The declarations of a style attribute; empty for the plain style.
    var css: String {
        var declarations: [String] = []
        if isBold { declarations.append("font-weight: bold") }
        // Opacity keeps the color of a light or a dark theme.
        if isDim { declarations.append("opacity: 0.7") }
        if let foreground { declarations.append("color: \(foreground.css)") }
        if let background { declarations.append("background: \(background.css)") }
        return declarations.joined(separator: "; ")
    }
}

extension TextColor {
    /// A color by its terminal name becomes one that is readable on white and on black.
    var css: String {
        switch self {
        case .red: "#d0453f"
        case .green: "#2e9e5b"
        case .yellow: "#a87a00"
        case .blue: "#3f7fd6"
        case .magenta: "#b455b4"
        case .cyan: "#1f94a3"
        case .gray: "#808080"
        case .rgb(let red, let green, let blue): "rgb(\(red), \(green), \(blue))"
        }
    }
}

extension Table {
    /// All cells whole: a page is as wide as its window.
    func html(showsTitles: Bool) -> String {
        func cells(_ tag: String, _ texts: [String], _ style: (Int) -> TextStyle) -> String {
            let row = texts.prefix(columns.count).enumerated().map { index, text in
                let alignment = columns[index].isNumeric ? "text-align: right" : "text-align: left"
                let css = style(index).css
                return HTML.element(
                    tag, style: css.isEmpty ? alignment : alignment + "; " + css,
                    HTML.escaped(text))
            }
            return HTML.element("tr", row.joined())
        }
        let head =
            showsTitles
            ? HTML.element("thead", cells("th", columns.map(\.title)) { _ in .plain }) : ""
        let body = rows.map { row in cells("td", row) { styles[$0] ?? .plain } }.joined()
        return HTML.element("table", head + HTML.element("tbody", body))
    }
}
