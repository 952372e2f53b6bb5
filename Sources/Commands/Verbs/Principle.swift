import Alignment
import CommandLanguage
import Values

extension CommandTable {
    static let principleCommand = Command(
        "principle", .method, "adds a principle and its opposite",
        about: """
            The pair goes to the end of `principles`, which is made if it is not there. If all \
            pairs there are about summaries, or all about answers, so is the new one. \
            `edit principles` and `principles[0].antithesis = "…"` change pairs, and \
            `principles = principles[1:]` leaves one out.
            """,
        makes: ["principles"],
        operands: [
            .required("principle", .text, "a sentence that asks for a behavior"),
            .required("not", .words("not"), "stands between the two"),
            .required("antithesis", .text, "the sentence that asks for the opposite"),
        ],
        example: #"principle "Write one short sentence." not "Write a long text.""#, run: principle)

    private static func principle(_ invocation: Invocation) throws -> CommandResult {
        func sentence(_ role: String) throws -> String {
            let text = try invocation.text(role) ?? ""
            guard text.contains(where: { !$0.isWhitespace }) else {
                throw invocation.error("a sentence is needed, not an empty text", at: role)
            }
            return text
        }
        let present = try invocation.objectIfBound(PrinciplesObject.self, "principles")?.pairs ?? []
        // Among pairs about summaries, one about everything would bring in questions, which no
        // other pair is about.
        let forms = Set(present.map(\.form))
        let pair = PrinciplePair(
            principle: try sentence("principle"), antithesis: try sentence("antithesis"),
            form: forms.count == 1 ? present.first?.form : nil)
        guard pair.principle != pair.antithesis else {
            throw invocation.error(
                "the opposite is the same sentence, so the pair asks for nothing", at: "antithesis")
        }
        if let place = present.firstIndex(where: { $0.principle == pair.principle }) {
            throw invocation.error(
                "`principles` has this sentence already, at index \(place)", at: "principle")
        }
        return CommandResult("principles", PrinciplesObject(pairs: present + [pair]))
    }
}
