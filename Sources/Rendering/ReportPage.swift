/// Chapters for one file: a page for a browser that needs no other file, or Markdown.
package struct ReportPage: Sendable {
    package enum Part: Sendable {
        /// A sentence or more.
        case prose(String)
        /// What a statement shows, with its picture if it has one.
        case display(Display)
        /// Lines to copy.
        case code(String)
        /// Parts that a reader opens.
        case folded(title: String, parts: [Part])
    }

    package struct Chapter: Sendable {
        package var title: String
        package var parts: [Part]

        package init(_ title: String, _ parts: [Part]) { (self.title, self.parts) = (title, parts) }
    }

    package var title: String
    /// Below the title.
    package var opening: [Part]
    package var chapters: [Chapter]

    package init(title: String, opening: [Part], chapters: [Chapter]) {
        (self.title, self.opening, self.chapters) = (title, opening, chapters)
    }

    package var html: String {
        var body = HTML.element("h1", HTML.escaped(title))
        body += opening.map(\.html).joined()
        for chapter in chapters where !chapter.parts.isEmpty {
            body += HTML.element("h2", HTML.escaped(chapter.title))
            body += chapter.parts.map(\.html).joined()
        }
        return HTMLPage(title: title, body: body).text
    }

    package var markdown: String {
        var parts = ["# " + ReportPage.plain(title)] + opening.map(\.markdown)
        for chapter in chapters where !chapter.parts.isEmpty {
            parts.append("## " + ReportPage.plain(chapter.title))
            parts += chapter.parts.map(\.markdown)
        }
        return parts.joined(separator: "\n\n") + "\n"
    }

    /// Text in which no character of Markdown or HTML has a meaning.
    static func plain(_ text: String) -> String {
        var result = ""
        for character in text {
            if "\\`*_[]<>#|&".contains(character) { result.append("\\") }
            result.append(character)
        }
        return result
    }
}

extension ReportPage.Part {
    fileprivate var html: String {
        switch self {
        case .prose(let text): return HTML.element("p", HTML.escaped(text))
        case .display(let display):
            let text = display.html?() ?? display.text().html
            // A picture is an image of its own, in which nothing can run.
            let picture = display.svg.map { HTML.image($0(), "chart") } ?? ""
            // A table that is wider than the page scrolls by itself.
            return HTML.element("div", style: "margin: 1em 0; overflow-x: auto", text + picture)
        case .code(let text): return HTML.element("pre", HTML.escaped(text))
        case .folded(let title, let parts):
            return HTML.element(
                "details",
                HTML.element("summary", HTML.escaped(title)) + parts.map(\.html).joined())
        }
    }

    fileprivate var markdown: String {
        switch self {
        case .prose(let text): return ReportPage.plain(text)
        case .display(let display): return ReportPage.Part.fenced(display.text().plain)
        case .code(let text): return ReportPage.Part.fenced(text)
        case .folded(let title, let parts):
            return (["**" + ReportPage.plain(title) + "**"] + parts.map(\.markdown))
                .joined(separator: "\n\n")
        }
    }

    /// A fence that is longer than any in the text.
    private static func fenced(_ text: String) -> String {
        var (longest, run) = (0, 0)
        for character in text {
            run = character == "`" ? run + 1 : 0
            longest = max(longest, run)
        }
        let fence = String(repeating: "`", count: max(3, longest + 1))
        return fence + "\n" + text + "\n" + fence
    }
}
