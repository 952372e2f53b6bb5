extension Value {
    /// The value as one line of JSON for a program that reads along: whole if it is at most a
    /// megabyte, otherwise its kind, size and summary. Scripts export large values.
    ///
    /// The plain form of an object is made once.
    package var printedJSON: String {
        var left = 1 << 20
        if let plain = plain(within: &left) { return plain.json }
        var record = Record()
        record["kind"] = .text(kind)
        if case .tensor(let tensor) = self { record["shape"] = Value(tensor.shape) }
        if let count = itemCount { record["count"] = Value(count) }
        record["summary"] = .text(summary)
        return Value.record(record).json
    }

    /// The value with the plain forms of its objects; nil if their JSON would take more than the
    /// bytes that are left, by an estimate that writes none of it.
    private func plain(within left: inout Int) -> Value? {
        switch self {
        case .null, .bool, .number: left -= 8
        case .text(let text): left -= text.utf8.count + 2
        case .tensor(let tensor): left -= tensor.count * 10
        case .list(let items):
            var plain: [Value] = []
            for item in items {
                guard let item = item.plain(within: &left) else { return nil }
                plain.append(item)
            }
            return .list(plain)
        case .record(let record):
            var plain = Record()
            for (key, value) in record {
                left -= key.utf8.count + 4
                guard let value = value.plain(within: &left) else { return nil }
                plain[key] = value
            }
            return .record(plain)
        case .object(let object): return object.jsonValue.plain(within: &left)
        }
        return left >= 0 ? self : nil
    }
}
