import CommandLanguage
import Rendering

extension CommandTable {
    static let plotCommand = Command(
        "plot", .looking, "draws numbers in the terminal or in a file",
        about: """
            A list or a tensor with one axis is drawn as a line, a matrix as a heat map, and \
            several matrices as maps with one scale. A record draws several lines: \
            plot {"loss": log.loss, "kl": log.kl}. Of a log or a list of records `y` names the \
            columns to draw, over the column `x` or over the number of the row. FILE.svg or \
            FILE.png is written instead of shown.
            """,
        effect: .looks,
        operands: [
            .required("value", .expression, "numbers, a matrix, a log, a list of records"),
            .optional("path", .path, "an .svg or .png"),
        ],
        options: [
            OptionSpecification("x", .word, "the column of the horizontal axis; the row's number"),
            OptionSpecification("y", .word, "columns, separated by commas; a log's loss, or all"),
            OptionSpecification("title", .text, "a line above the picture"),
        ],
        example: "plot [3, 1, 2]", run: plot)

    /// The columns of `y`: one word, several with commas, or a list of texts.
    private static func columns(_ invocation: Invocation) throws -> [String]? {
        switch try invocation.value("y") {
        case nil: return nil
        case .text(let text)?: return text.split(separator: ",").map(String.init)
        case .list(let items)? where items.allSatisfy({ $0.asText != nil }):
            return items.compactMap(\.asText)
        case let other?:
            throw invocation.error(
                "`y` names columns, and this is \(other.aKind)",
                suggestion: "for example y=loss,kl",
                at: "y")
        }
    }

    private static func plot(_ invocation: Invocation) throws -> CommandResult {
        guard let argument = invocation.argument("value") else { return CommandResult() }
        let value = try invocation.value(argument)
        let picture = try Picture(
            value, x: try invocation.text("x"), y: try columns(invocation),
            title: try invocation.text("title"), invocation)
        guard let shown = try invocation.text("path"),
            let path = try invocation.writablePath("path")
        else {
            let appearance = invocation.appearance
            return CommandResult(
                Display(
                    text: { picture.rendered(appearance) }, html: { picture.html },
                    svg: { picture.svg }))
        }
        try invocation.write(picture, to: path, shown: shown)
        return CommandResult(text: StyledText("wrote \(shown)"))
    }
}
