/// The name of a query. It is unique within a list of queries. Constitutions, rollouts, scores and
/// verdicts refer to their query by this id, never by a place in a list.
///
/// Ids are compared byte by byte: `café` with U+00E9 and `café` with U+0301 are two ids.
public struct QueryID: Sendable, Hashable, ExpressibleByStringInterpolation,
    CustomStringConvertible
{
    public let text: String

    public init(_ text: String) { self.text = text }

    public init(stringLiteral text: String) { self.text = text }

    /// The id of a query that brings none: its place in the list, counted from 0, or if another
    /// query has that id, the place with the first suffix `-2`, `-3`, … that is free.
    public init(place: Int, taken: Set<QueryID>) {
        var id = QueryID("\(place)")
        var suffix = 2
        while taken.contains(id) {
            id = QueryID("\(place)-\(suffix)")
            suffix += 1
        }
        self = id
    }

    public var description: String { text }

    public static func == (left: QueryID, right: QueryID) -> Bool {
        left.text.utf8.elementsEqual(right.text.utf8)
    }

    public func hash(into hasher: inout Hasher) {
        for byte in text.utf8 { hasher.combine(byte) }
    }
}

extension QueryID: Codable {
    /// Text. In older workspaces it may be a number, the query's place in its list; a query without
    /// an id gets the same number as its id.
    public init(from decoder: any Decoder) throws {
        let value = try decoder.singleValueContainer()
        if let text = try? value.decode(String.self) {
            self.init(text)
        } else {
            self.init(String(try value.decode(Int.self)))
        }
    }

    public func encode(to encoder: any Encoder) throws {
        var value = encoder.singleValueContainer()
        try value.encode(text)
    }
}
