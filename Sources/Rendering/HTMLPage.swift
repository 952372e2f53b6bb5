/// One whole HTML page that needs no other file, no network and no script. It follows the reader's
/// light or dark theme.
package struct HTMLPage: Sendable {
    package var title: String
    /// HTML in which all text is escaped.
    package var body: String

    package init(title: String, body: String) {
        (self.title, self.body) = (title, body)
    }

    package var text: String {
        """
        <!DOCTYPE html>
        <html lang="en">
        <head>
        <meta charset="utf-8">
        <meta name="viewport" content="width=device-width, initial-scale=1">
        <title>\(HTML.escaped(TextWidth.cut(TextWidth.oneLine(title), to: 120)))</title>
        <style>
        \(HTMLPage.styles)
        </style>
        </head>
        <body>
        \(body)
        </body>
        </html>

        """
    }

    private static let styles = """
        :root { color-scheme: light dark; }
        body { margin: 2em auto; max-width: 60em; padding: 0 1em; font-family: sans-serif; \
        line-height: 1.4; color: #1a1a1a; background: #ffffff; }
        pre { font-family: monospace; overflow-wrap: anywhere; }
        table { border-collapse: collapse; margin: 1em 0; }
        th, td { padding: 0.2em 0.6em; vertical-align: top; overflow-wrap: break-word; \
        max-width: 40em; }
        th { font-weight: bold; }
        [style*="text-align: right"], thead th { white-space: nowrap; }
        img { max-width: 100%; height: auto; }
        @media screen and (prefers-color-scheme: dark) { body { color: #e6e6e6; \
        background: #121212; } }
        """
}
