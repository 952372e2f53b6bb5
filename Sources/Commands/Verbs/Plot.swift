import CommandLanguage
import Rendering

extension CommandTable {
    static let plotCommand = Command(
        "plot", .looking, "draws numbers in the terminal or in a file",
        about: """
            A list or a tensor with one axis is drawn as a line, a matrix as a heat map, a log \
            as its loss. With FILE.svg or FILE.png gnuplot draws it.
            """,
        effect: .looks,
        operands: [
            .required("value", .expression, "numbers, a log, a matrix"),
            .optional("path", .path, "an .svg or .png"),
        ],
        options: [
            OptionSpecification("y", .word, "the column of a log; loss"),
            OptionSpecification("title", .text, "a line above the picture"),
        ],
        example: "plot [3, 1, 2]", run: plot)

    private static func plot(_ invocation: Invocation) throws -> CommandResult {
        guard let argument = invocation.argument("value") else { return CommandResult() }
        let value = try invocation.value(argument)
        let picture = try Picture(
            value, column: try invocation.text("y"), title: try invocation.text("title"),
            invocation)
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
