/// How many bytes go into one message: so many that the network takes a tenth to a quarter of a
/// second for them, because a stop is heard between messages.
struct PieceLength {
    private(set) var bytes = 1 << 20

    private static let range = 1 << 16...1 << 23

    /// - Parameter time: that it took to send one.
    mutating func adapt(to time: Duration) {
        if time < .milliseconds(100) {
            bytes = min(Self.range.upperBound, 2 * bytes)
        } else if time > .milliseconds(250) {
            bytes = max(Self.range.lowerBound, bytes / 2)
        }
    }
}
