import Foundation

extension String {
    /// A page where the drawings of its images stand in their places, to be searched.
    public var withDrawings: String {
        replacing(#/src="data:image/svg\+xml;base64,([A-Za-z0-9+/=]*)"/#) { match in
            Data(base64Encoded: String(match.1)).map { String(decoding: $0, as: UTF8.self) } ?? "?"
        }
    }
}
