/// Filters on text.
extension TemplateEvaluator {
    func textFilter(
        _ name: String, _ value: Value, _ arguments: CallArguments
    ) throws -> Value? {
        switch name {
        case "string", "safe": return try string(shown(value))
        case "escape", "e", "forceescape": return try string(Self.escaped(shown(value)))
        case "lower": return try string(PythonText.lower(shown(value)))
        case "upper": return try string(PythonText.upper(shown(value)))
        case "capitalize": return try string(PythonText.capitalized(shown(value)))
        case "title": return try string(PythonText.titled(shown(value)))
        case "trim":
            let characters = arguments.value(0, "chars").flatMap(\.text)
            return try string(
                PythonText.stripped(shown(value), characters, left: true, right: true))
        case "replace":
            let old = try shown(arguments.value(0, "old") ?? .undefined(""))
            let new = try shown(arguments.value(1, "new") ?? .undefined(""))
            guard arguments.values.count + arguments.named.count >= 2 else {
                throw failure("“replace” wants two texts")
            }
            let limit = arguments.value(2, "count").flatMap { $0.isNone ? nil : $0.integer }
            return try replaced(shown(value), old, new, limit)
        case "indent": return try indented(value, arguments)
        case "wordcount":
            let words = try shown(value).unicodeScalars.split { !$0.isPythonWordCharacter }
            return .int(words.count)
        case "center":
            let width = try number(arguments, 0, "width", default: 80)
            return try padded(shown(value), width, left: true, right: true)
        case "truncate": return try truncated(value, arguments)
        default: return nil
        }
    }

    private static func escaped(_ text: String) -> String {
        var escaped = ""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "&": escaped += "&amp;"
            case "<": escaped += "&lt;"
            case ">": escaped += "&gt;"
            case "'": escaped += "&#39;"
            case "\"": escaped += "&#34;"
            default: escaped.unicodeScalars.append(scalar)
            }
        }
        return escaped
    }

    func replaced(
        _ text: String, _ old: String, _ new: String, _ limit: Int?
    ) throws -> Value {
        let (bytes, part, content) = (Array(text.utf8), Array(old.utf8), Array(new.utf8))
        var replaced: [UInt8] = []
        var left = limit.map { $0 < 0 ? Int.max : $0 } ?? Int.max
        var place = 0
        var searched = 0
        while left > 0, let found = Search.first(of: part, in: bytes, from: searched) {
            replaced += bytes[place..<found]
            replaced += content
            place = found + part.count
            searched = place
            left -= 1
            if part.isEmpty {
                guard found < bytes.count else { break }
                searched = found + Search.characterLength(bytes[found])
            }
            try charge(content.count)
            try checkLength(replaced.count)
        }
        return try string(String(decoding: replaced + bytes[place...], as: UTF8.self))
    }

    private func indented(_ value: Value, _ arguments: CallArguments) throws -> Value {
        let width = arguments.value(0, "width") ?? .int(4)
        let count = width.integer ?? 0
        try checkLength(count)
        let margin = width.text ?? String(repeating: " ", count: max(count, 0))
        let indentsFirst = arguments.value(1, "first")?.isTrue ?? false
        let indentsBlank = arguments.value(2, "blank")?.isTrue ?? false
        let lines = PythonText.lines(try shown(value) + "\n")
        var text = ""
        for (index, line) in lines.enumerated() {
            if index > 0 { text += "\n" }
            let isIndented = index == 0 ? indentsFirst : !line.isEmpty || indentsBlank
            text += (isIndented ? margin : "") + line
            try charge(margin.utf8.count)
            try checkLength(text.utf8.count)
        }
        return try string(text)
    }

    private func truncated(_ value: Value, _ arguments: CallArguments) throws -> Value {
        let length = try number(arguments, 0, "length", default: 255)
        let cutsWords = arguments.value(1, "killwords")?.isTrue ?? false
        let end = arguments.value(2, "end")?.text ?? "..."
        let leeway = try number(arguments, 3, "leeway", default: 5)
        let scalars = Array(try shown(value).unicodeScalars)
        let mark = end.unicodeScalars.count
        guard length >= mark, leeway >= 0 else {
            throw failure("“truncate” to \(length) leaves no room for “\(end.prefix(40))”")
        }
        let (most, overflow) = length.addingReportingOverflow(leeway)
        if overflow || scalars.count <= most { return value }
        var kept = scalars[..<(length - mark)]
        if !cutsWords, let space = kept.lastIndex(of: " ") { kept = kept[..<space] }
        var text = String.UnicodeScalarView()
        text.append(contentsOf: kept)
        return try string(String(text) + end)
    }

    func padded(
        _ text: String, _ width: Int, left: Bool, right: Bool, with filler: String = " "
    ) throws -> Value {
        let width = max(width, 0)
        try checkLength(width)
        let missing = max(width - text.unicodeScalars.count, 0)
        // As in Python, the odd blank goes to the left if the width is odd.
        let before = left && right ? missing / 2 + (missing & width & 1) : left ? missing : 0
        return try string(
            String(repeating: filler, count: before) + text
                + String(repeating: filler, count: missing - before))
    }
}
