import CEditLine
import CommandLanguage

/// Functions of keys in addition to libedit's own.
extension EditedReader {
    func addFunctions() {
        let functions: [(String, String, sami_edit_function)] = [
            (
                "sami-complete", "Complete the word before the cursor",
                { line, _ in EditedReader.owner(of: line)?.complete() ?? UInt8(CC_ERROR) }
            ),
            (
                "sami-paste", "Insert a pasted block as it is",
                { line, _ in EditedReader.owner(of: line)?.paste() ?? UInt8(CC_ERROR) }
            ),
            (
                "sami-newline", "Insert a line break",
                { line, _ in EditedReader.owner(of: line)?.insert("\n") ?? UInt8(CC_ERROR) }
            ),
        ]
        for (name, help, function) in functions {
            sami_edit_add_function(line, permanent(name), permanent(help), function)
        }
    }

    /// libedit keeps the pointer to a function's name, so the text must live as long as the
    /// process.
    private func permanent(_ text: String) -> UnsafePointer<wchar_t> {
        let characters = wide(text)
        let copy = UnsafeMutablePointer<wchar_t>.allocate(capacity: characters.count)
        copy.initialize(from: characters, count: characters.count)
        keptTexts.append(copy)
        return UnsafePointer(copy)
    }

    func bindCompletion() { sami_edit_bind(line, wide("^I"), wide("sami-complete")) }

    func bindKeys() {
        let keys = [
            ("\\e[200~", "sami-paste"),
            ("\\e^M", "sami-newline"), ("\\e^J", "sami-newline"),
            // With libedit's own function the key would only redraw the line.
            ("^R", "em-inc-search-prev"), ("^S", "em-inc-search-next"),
            // The sequences that terminals send for Ctrl and Alt with arrows, Home, End and Delete.
            ("\\e[1;5C", "em-next-word"), ("\\e[1;5D", "ed-prev-word"),
            ("\\e[1;3C", "em-next-word"), ("\\e[1;3D", "ed-prev-word"),
            ("\\e[H", "ed-move-to-beg"), ("\\e[F", "ed-move-to-end"),
            ("\\e[1~", "ed-move-to-beg"), ("\\e[4~", "ed-move-to-end"),
            ("\\e[3~", "ed-delete-next-char"),
        ]
        for (key, function) in keys { sami_edit_bind(line, wide(key), wide(function)) }
        bindCompletion()
    }

    // MARK: Completion

    private func complete() -> UInt8 {
        guard let (before, _) = textAroundCursor() else { return UInt8(CC_ERROR) }
        let source = preceding + before
        let found = completions(source, source.utf8.count)
        let lower = max(found.replacing.lower, preceding.utf8.count)
        guard !found.items.isEmpty, lower <= source.utf8.count else { return UInt8(CC_ERROR) }
        let typed = SourceSpan(lower: lower, upper: source.utf8.count).text(in: source)
        if found.items.count == 1 {
            let item = found.items[0]
            return replace(typed, by: item.text + (item.isWhole ? " " : ""))
        }
        let shared = commonPrefix(found.items.map(\.text))
        if shared.unicodeScalars.count > typed.unicodeScalars.count {
            return replace(typed, by: shared)
        }
        let size = terminal.size
        leaveLine()
        screen.write("\n" + listing(found.items, columns: size.columns, rows: size.rows))
        // Draws prompt and line below the list; libedit need not draw them again.
        sami_edit_refresh(line)
        return UInt8(CC_NORM)
    }

    private func replace(_ typed: String, by text: String) -> UInt8 {
        // Keeps the common beginning of both texts: less to draw, and a smaller undo.
        el_deletestr(line, Int32(typed.unicodeScalars.count))
        return insert(text)
    }

    private func commonPrefix(_ texts: [String]) -> String {
        guard var shared = texts.first else { return "" }
        for text in texts.dropFirst() {
            shared = String(zip(shared, text).prefix { $0 == $1 }.map(\.0))
        }
        return shared
    }

    func textAroundCursor() -> (before: String, after: String)? {
        guard let info = el_wline(line)?.pointee, let start = info.buffer,
            let cursor = info.cursor, let end = info.lastchar
        else { return nil }
        func text(_ from: UnsafePointer<wchar_t>, _ count: Int) -> String {
            var scalars = String.UnicodeScalarView()
            for index in 0..<max(0, count) {
                scalars.append(Unicode.Scalar(UInt32(bitPattern: from[index])) ?? "\u{FFFD}")
            }
            return String(scalars)
        }
        return (text(start, cursor - start), text(cursor, end - cursor))
    }

    // MARK: Inserting

    func insert(_ text: String) -> UInt8 {
        guard !text.isEmpty else { return UInt8(CC_REFRESH) }
        return el_winsertstr(line, wide(text)) == 0 ? UInt8(CC_REFRESH) : UInt8(CC_ERROR)
    }

    /// Collects the characters between the marks of a bracketed paste, and inserts them as one
    /// text.
    private func paste() -> UInt8 {
        let end = Array("\u{1B}[201~".unicodeScalars)
        var scalars: [Unicode.Scalar] = []
        var character: wchar_t = 0
        while !scalars.suffix(end.count).elementsEqual(end) {
            guard el_wgetc(line, &character) == 1 else { return UInt8(CC_ERROR) }
            scalars.append(Unicode.Scalar(UInt32(bitPattern: character)) ?? "\u{FFFD}")
        }
        return insert(pastedText(scalars.dropLast(end.count)))
    }
}

/// A paste as text. Terminals send a carriage return for a line break. Control characters would act
/// as keys. Line breaks at the end would only leave empty rows.
func pastedText(_ scalars: some Sequence<Unicode.Scalar>) -> String {
    var text = String.UnicodeScalarView()
    var afterReturn = false
    for scalar in scalars {
        if scalar == "\n", afterReturn {
            afterReturn = false
            continue
        }
        afterReturn = scalar == "\r"
        switch scalar {
        case "\r", "\n": text.append("\n")
        case "\t": text.append("\t")
        default:
            if scalar.value >= 0x20, !(0x7F..<0xA0).contains(scalar.value) { text.append(scalar) }
        }
    }
    while text.last == "\n" { text.removeLast() }
    return String(text)
}

/// Completions in rows that fit a window: with their descriptions if there are enough rows,
/// otherwise in columns. Never more than the window shows at once; the last row gives the number of
/// omitted completions.
func listing(_ items: [CompletionItem], columns: Int, rows: Int) -> String {
    let columns = max(20, columns - 1)
    let rows = max(4, rows - 3)
    let names = items.map { $0.text.printable.prefix(cells: columns - 2) }
    let widest = names.map(\.displayWidth).max() ?? 0
    func padded(_ text: String, _ width: Int) -> String {
        text + String(repeating: " ", count: max(0, width - text.displayWidth))
    }
    if items.count <= rows, items.contains(where: { !$0.summary.isEmpty }) {
        return zip(names, items).map { name, item in
            let room = columns - widest - 2
            let summary = item.summary.printable
            guard room >= 10, !summary.isEmpty else { return name + "\n" }
            let shown =
                summary.displayWidth <= room ? summary : summary.prefix(cells: room - 1) + "…"
            return padded(name, widest + 2) + shown + "\n"
        }.joined()
    }
    let perRow = max(1, columns / (widest + 2))
    let needed = (items.count + perRow - 1) / perRow
    let height = min(needed, rows)
    let shown = needed > rows ? height * perRow : items.count
    var text = ""
    for row in 0..<height {
        // Ordered down the columns, as in ls.
        let cells = stride(from: row, to: shown, by: height).map { padded(names[$0], widest + 2) }
        var line = cells.joined()
        while line.last == " " { line.removeLast() }
        text += line + "\n"
    }
    return text + (shown < items.count ? "… and \(items.count - shown) more\n" : "")
}
