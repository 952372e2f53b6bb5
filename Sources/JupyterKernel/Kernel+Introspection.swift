import CommandLanguage
import JSON
import Notebooks
import Sessions

/// Requests about code that does not run.
extension Kernel {
    func completions(_ content: JSON) -> [JSON.Member] {
        let code = content["code"]?.string ?? ""
        let scalars = code.unicodeScalars.count
        let cursor = min(max(content["cursor_pos"]?.integer ?? scalars, 0), scalars)
        let list = session.completions(in: code, at: code.utf8Offset(ofScalar: cursor))
        let start = code.scalarOffset(ofUTF8: list.replacing.lower)
        let types = list.items.map { item -> JSON in
            [
                "start": .integer(start), "end": .integer(cursor), "text": .string(item.text),
                "type": .string(item.kind.rawValue),
            ]
        }
        return [
            .init("status", "ok"), .init("matches", .array(list.items.map { .string($0.text) })),
            .init("cursor_start", .integer(start)), .init("cursor_end", .integer(cursor)),
            .init("metadata", ["_jupyter_types_experimental": .array(types)]),
        ]
    }

    func inspection(_ content: JSON) -> [JSON.Member] {
        let code = content["code"]?.string ?? ""
        let cursor = content["cursor_pos"]?.integer ?? code.unicodeScalars.count
        let display = session.inspection(in: code, at: code.utf8Offset(ofScalar: cursor))
        return [
            .init("status", "ok"), .init("found", .bool(display != nil)),
            .init("data", display?.mimeBundle ?? [:]), .init("metadata", [:]),
        ]
    }

    func completeness(_ content: JSON) -> [JSON.Member] {
        switch Session.parse(content["code"]?.string ?? "").completeness {
        case .complete: [.init("status", "complete")]
        case .incomplete: [.init("status", "incomplete"), .init("indent", "  ")]
        case .invalid: [.init("status", "invalid")]
        }
    }
}

/// Places in a text: clients count Unicode scalars, the language counts bytes of UTF-8.
extension String {
    func utf8Offset(ofScalar offset: Int) -> Int {
        let scalars = unicodeScalars
        let place =
            scalars.index(scalars.startIndex, offsetBy: max(0, offset), limitedBy: scalars.endIndex)
        return utf8.distance(from: startIndex, to: place ?? endIndex)
    }

    func scalarOffset(ofUTF8 offset: Int) -> Int {
        let place = utf8.index(startIndex, offsetBy: max(0, offset), limitedBy: endIndex)
        return unicodeScalars.distance(from: startIndex, to: place ?? endIndex)
    }
}
