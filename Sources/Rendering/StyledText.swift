/// Text with colors kept separate from the characters, so that one output serves a pipe, a terminal
/// and a notebook.
public struct StyledText: Sendable, Equatable {
    public struct Run: Sendable, Equatable {
        public var text: String
        public var style: TextStyle
    }

    public private(set) var runs: [Run] = []

    public init() {}

    public init(_ text: String, _ style: TextStyle = .plain) { append(text, style) }

    public var isEmpty: Bool { runs.isEmpty }

    /// The characters without colors.
    public var plain: String { runs.map(\.text).joined() }

    public mutating func append(_ text: String, _ style: TextStyle = .plain) {
        guard !text.isEmpty else { return }
        if let last = runs.indices.last, runs[last].style == style {
            runs[last].text += text
        } else {
            runs.append(Run(text: text, style: style))
        }
    }

    public mutating func append(_ other: StyledText) {
        for run in other.runs { append(run.text, run.style) }
    }

    /// Appends a line. Starts a new line first unless the text is empty.
    public mutating func line(_ text: String, _ style: TextStyle = .plain) {
        if !isEmpty { append("\n") }
        append(text, style)
    }

    public mutating func line(_ other: StyledText) {
        if !isEmpty { append("\n") }
        append(other)
    }

    /// The same without blanks at the end, unless they show a background.
    package var withoutTrailingBlanks: StyledText {
        var text = self
        while var last = text.runs.last, last.style.background == nil, last.text.hasSuffix(" ") {
            while last.text.hasSuffix(" ") { last.text.removeLast() }
            text.runs.removeLast()
            if !last.text.isEmpty { text.runs.append(last) }
        }
        return text
    }

    /// The text with escape sequences for a terminal that shows `color`. Every line ends in the
    /// plain style, so that a pager or a cut line does not carry a color into the next line.
    public func rendered(_ color: Color) -> String {
        guard color != .none else { return plain }
        var result = ""
        for run in runs {
            let codes = run.style.codes(color)
            guard !codes.isEmpty else {
                result += run.text
                continue
            }
            let lines = run.text.split(separator: "\n", omittingEmptySubsequences: false)
            for (index, line) in lines.enumerated() {
                if index > 0 { result += "\n" }
                if !line.isEmpty { result += "\u{1B}[\(codes)m\(line)\u{1B}[0m" }
            }
        }
        return result
    }
}

public struct TextStyle: Sendable, Hashable {
    public var foreground: TextColor?
    public var background: TextColor?
    public var isBold: Bool
    public var isDim: Bool

    public init(
        foreground: TextColor? = nil, background: TextColor? = nil, isBold: Bool = false,
        isDim: Bool = false
    ) {
        self.foreground = foreground
        self.background = background
        self.isBold = isBold
        self.isDim = isDim
    }

    public static let plain = TextStyle()
    package static let heading = TextStyle(isBold: true)
    package static let faint = TextStyle(isDim: true)
    package static let name = TextStyle(foreground: .cyan)
    package static let good = TextStyle(foreground: .green)
    package static let warning = TextStyle(foreground: .yellow)
    package static let failure = TextStyle(foreground: .red, isBold: true)

    fileprivate func codes(_ color: Color) -> String {
        var codes: [String] = []
        if isBold { codes.append("1") }
        if isDim { codes.append("2") }
        if let foreground { codes.append(foreground.code(color, base: 30)) }
        if let background { codes.append(background.code(color, base: 40)) }
        return codes.joined(separator: ";")
    }
}

/// A color by its terminal name, which follows the user's theme, or by its components.
public enum TextColor: Sendable, Hashable {
    case red, green, yellow, blue, magenta, cyan, gray
    case rgb(UInt8, UInt8, UInt8)

    fileprivate func code(_ color: Color, base: Int) -> String {
        switch self {
        case .red: "\(base + 1)"
        case .green: "\(base + 2)"
        case .yellow: "\(base + 3)"
        case .blue: "\(base + 4)"
        case .magenta: "\(base + 5)"
        case .cyan: "\(base + 6)"
        case .gray: "\(base + 60)"
        case .rgb(let red, let green, let blue):
            switch color {
            case .full: "\(base + 8);2;\(red);\(green);\(blue)"
            case .palette: "\(base + 8);5;\(TextColor.cubeIndex(red, green, blue))"
            case .basic, .none: TextColor.basicCode(red, green, blue, base: base)
            }
        }
    }

    /// The nearest entry of the 6×6×6 cube in the 256-color palette.
    private static func cubeIndex(_ red: UInt8, _ green: UInt8, _ blue: UInt8) -> Int {
        func level(_ component: UInt8) -> Int {
            component < 48 ? 0 : component < 115 ? 1 : (Int(component) - 35) / 40
        }
        return 16 + 36 * level(red) + 6 * level(green) + level(blue)
    }

    private static func basicCode(_ red: UInt8, _ green: UInt8, _ blue: UInt8, base: Int) -> String
    {
        let bits = (red > 127 ? 1 : 0) | (green > 127 ? 2 : 0) | (blue > 127 ? 4 : 0)
        return "\(base + bits)"
    }
}
