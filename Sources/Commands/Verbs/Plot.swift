import CommandLanguage
import Rendering
import Values

extension CommandTable {
    static let plotCommand = Command(
        "plot", .looking, "draws numbers in the terminal or in a file",
        about: """
            A list or a tensor with one axis is drawn as a line, and several of them as lines over \
            common axes: plot log.loss log.bound. A matrix is drawn as a heat map, several \
            matrices as maps with one scale, verdicts as bars with their intervals. A record draws \
            several lines: plot {"loss": log.loss, "kl": log.kl}. Of a log or a list of records \
            `y` names the columns to draw, over the column `x` or over the number of the row. \
            as=scatter draws the second value over the first, or the columns y over x; \
            as=histogram counts the numbers of each value. FILE.svg, FILE.png or FILE.html is \
            written instead of shown.
            """,
        effect: .looks,
        operands: [
            .required(
                "value", .expression, "numbers, a matrix, a log, a list of records, verdicts",
                repeats: true),
            .optional(
                "path", .path, "an .svg, .png or .html",
                extensions: PictureFile.extensions + PictureForm.foreignExtensions),
        ],
        options: [
            OptionSpecification(
                "as",
                .words([
                    Choice("line", "of a matrix a line for each row"),
                    Choice("scatter", "a mark for each pair of numbers"),
                    Choice("histogram", "how many numbers fall into bins of equal width"),
                ]), "the form; default: what the value suggests"),
            OptionSpecification("x", .word, "the column of the horizontal axis; the row's number"),
            OptionSpecification("y", .word, "columns, separated by commas; a log's loss, or all"),
            OptionSpecification(
                "log",
                .words([
                    Choice("x", "the horizontal axis"), Choice("y", "the vertical axis"),
                    Choice("xy", "both"),
                ]), "axes with equal distances for equal ratios"),
            OptionSpecification("bins", .number, "of a histogram; default: from the numbers"),
            OptionSpecification("labels", .value, "names for the legend, a list of texts"),
            OptionSpecification("unit", .text, "what the vertical axis measures"),
            OptionSpecification("title", .text, "a line above the picture"),
        ],
        example: "plot [3, 1, 2] [2, 2, 1] labels=[\"a\", \"b\"]", run: plot)

    private static func plot(_ original: Invocation) throws -> CommandResult {
        let invocation = try original.withPathApart()
        let picture = try Picture(
            try invocation.call.operands("value").map { argument in
                Picture.Source(
                    name: TextWidth.oneLine(argument.span.text(in: invocation.source)),
                    value: try invocation.value(argument), argument: argument)
            }, invocation)
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

extension Invocation {
    /// The same with a computed path as `path`: `plot x ("step" + text(i) + ".svg")`.
    fileprivate func withPathApart() throws -> Invocation {
        guard call.operands.count > 1, !has("path"), let last = call.operands.last,
            case .text(let text) = try value(last),
            PictureForm.looksLikeFile(text)
        else { return self }
        var changed = call
        changed.operands[changed.operands.count - 1].role = "path"
        return Invocation(
            session: session, call: changed, source: source, targets: targets, key: key,
            sequence: sequence, resumed: resumed)
    }
}

/// The word of `as=`.
enum PictureForm: String, CaseIterable {
    case line, scatter, histogram

    /// Extensions of pictures that are not written, so that a sentence can say so.
    static let foreignExtensions = [
        "gif", "jpg", "jpeg", "pdf", "webp", "bmp", "eps", "tif", "tiff",
    ]

    static func looksLikeFile(_ text: String) -> Bool {
        guard let dot = text.lastIndex(of: ".") else { return false }
        return (PictureFile.extensions + foreignExtensions)
            .contains(text[text.index(after: dot)...].lowercased())
    }
}
