import Rendering

extension Value {
    /// A list of records as a table, one row a record; nil if some item is no record.
    ///
    /// - Parameter count: how many rows are shown; nil shows the first and the last of a long list.
    package static func table(
        of items: [Value], count: Int? = nil, _ appearance: Appearance
    ) -> Document? {
        var records: [Record] = []
        for item in items {
            guard case .record(let record) = item, !record.isEmpty else { return nil }
            records.append(record)
        }
        guard !records.isEmpty else { return nil }
        let shown =
            count.map { Array(records.indices.prefix($0)) }
            ?? (records.count > 12
                ? Array(0..<8) + Array((records.count - 2)..<records.count)
                : Array(records.indices))
        var names: [String] = []
        var known: Set<String> = []
        for index in shown {
            for key in records[index].keys where known.insert(key).inserted { names.append(key) }
        }
        var table = Table(
            [.init("", isNumeric: true)]
                + names.map { name in
                    .init(
                        name,
                        isNumeric: shown.allSatisfy { records[$0][name]?.isNumberOrNull ?? true })
                })
        table.styles = [0: .faint]
        for (position, index) in shown.enumerated() {
            if position > 0, index != shown[position - 1] + 1 {
                table.append(["…"] + names.map { _ in "" })
            }
            table.append(["\(index)"] + names.map { (records[index][$0] ?? .null).cellText })
        }
        var document = Document("list of \(NumberText.count(records.count, "record"))", .faint)
        document.line(table)
        if table.cutsTexts(to: appearance.columns) {
            document.line("texts are cut to fit; an index, [0], shows one whole", .faint)
        }
        if let count, records.count > count {
            document.line("… and \(records.count - count) more; count= shows them", .faint)
        }
        return document
    }

    private var isNumberOrNull: Bool {
        switch self {
        case .number, .null: true
        default: false
        }
    }

    private var cellText: String {
        switch self {
        case .null: ""
        case .text(let text): TextWidth.oneLine(text.prefix(400))
        default: brief
        }
    }
}
