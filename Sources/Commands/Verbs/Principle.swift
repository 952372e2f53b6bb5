import Alignment
import CommandLanguage
import Values

extension CommandTable {
    static let principleCommand = Command(
        "principle", .method, "adds a principle and its opposite",
        about: """
            The pair goes to the end of `principles`, which is made if it is not there, or takes \
            the place of the pair that at= names. If all pairs there are about summaries, or all \
            about answers, so is the new one. `edit principles` opens all pairs in your editor, \
            `principles[0].antithesis = "…"` changes one sentence, and \
            `principles = principles[0:1] + principles[2:]` leaves pair 1 out. With \
            `check="words(response) <= 15"` judge=measured knows the principle, for every model.
            """,
        makes: ["principles"],
        operands: [
            .required("principle", .text, "a sentence that asks for a behavior"),
            .required("not", .words("not"), "stands between the two"),
            .required("antithesis", .text, "the sentence that asks for the opposite"),
        ],
        options: [
            OptionSpecification(
                "check", .text,
                "an expression over `response` and `query` that says whether a response follows it"),
            OptionSpecification(
                "antithesis_check", .text,
                "the same for the antithesis; default: check= is false"),
            OptionSpecification(
                "at", .number, "the pair that it replaces; default: none, it is added"),
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
        let place = try invocation.integer("at", atLeast: 0)
        if let place, !present.indices.contains(place) {
            throw invocation.located(
                EvaluationError.indexOutOfRange(
                    index: place, count: present.count, what: "`principles`"), at: "at")
        }
        let pair = PrinciplePair(
            principle: try sentence("principle"), antithesis: try sentence("antithesis"),
            form: place.map { present[$0].form } ?? (forms.count == 1 ? present.first?.form : nil),
            check: try invocation.text("check"),
            antithesisCheck: try invocation.text("antithesis_check"))
        for (role, check) in [("check", pair.check), ("antithesis_check", pair.antithesisCheck)] {
            do throws(EvaluationError) {
                if let check { _ = try PrincipleCheck(check) }
            } catch {
                throw invocation.located(error, at: role)
            }
        }
        guard pair.principle != pair.antithesis else {
            throw invocation.error(
                "the opposite is the same sentence, so the pair asks for nothing", at: "antithesis")
        }
        var pairs = present
        if let place { pairs[place] = pair } else { pairs.append(pair) }
        if let twin = present.indices.first(where: {
            $0 != place && present[$0].principle == pair.principle
        }) {
            throw invocation.error(
                "`principles` has this sentence already, at index \(twin)", at: "principle")
        }
        return CommandResult("principles", PrinciplesObject(pairs: pairs))
    }
}
