/// The styles that a response shows: for each style, the side of its principle or the opposite
/// side.
public struct Attributes: Hashable, Sendable {
    private var bits: UInt16 = 0

    public init() {}

    public subscript(_ style: Style) -> Bool {
        get { bits & Self.bit(style) != 0 }
        set { bits = newValue ? bits | Self.bit(style) : bits & ~Self.bit(style) }
    }

    private static func bit(_ style: Style) -> UInt16 {
        let place: UInt16 =
            switch style {
            case .pirate: 0
            case .feelings: 1
            case .opinion: 2
            case .concise: 3
            case .scientific: 4
            case .formal: 5
            case .question: 6
            case .age: 7
            case .polite: 8
            case .hopeful: 9
            }
        return 1 << place
    }

    /// The styles of an author who follows no constitution. Principles ask for either side equally
    /// often, so such a response follows half of them, whatever these shares are. The shares only
    /// keep responses short.
    static func careless(_ random: inout SplitMix64) -> Attributes {
        var styles = Attributes()
        for style in Style.allCases {
            let share =
                switch style {
                case .concise: 0.6
                case .formal, .polite, .hopeful: 0.5
                default: 0.4
                }
            styles[style] = random.chance(share)
        }
        return styles
    }
}
