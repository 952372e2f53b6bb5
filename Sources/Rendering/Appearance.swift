/// The appearance of outputs. A host sets it when a session opens and when the window changes.
public struct Appearance: Sendable, Equatable {
    /// Columns of the terminal; tables and strips are cut or wrapped to it.
    public var width: Int
    public var color: Color
    /// Whether block and box characters beyond ASCII may be drawn.
    public var isUnicode: Bool

    public init(width: Int = 80, color: Color = .none, isUnicode: Bool = true) {
        self.width = width
        self.color = color
        self.isUnicode = isUnicode
    }

    /// The width for drawing: at least 20 columns, even in a narrower window.
    package var columns: Int { max(20, width) }
}

/// The colors that a terminal can show.
public enum Color: String, Sendable, CaseIterable {
    case none
    /// The sixteen colors every terminal has.
    case basic
    /// 256 colors.
    case palette
    /// 24 bits a cell.
    case full
}
