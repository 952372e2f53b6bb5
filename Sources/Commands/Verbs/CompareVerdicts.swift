import Alignment
import CommandLanguage
import Rendering
import Values

extension CommandTable {
    /// How far two judges agree about the pairs that both judged.
    static func compare(
        _ first: VerdictsObject, _ second: VerdictsObject, _ invocation: Invocation
    ) throws -> CommandResult {
        guard let agreement = JudgeAgreement(first.verdicts, second.verdicts) else {
            throw invocation.error(
                "no pair of responses was judged by both",
                suggestion:
                    "judge pairs=\(invocation.written("first") ?? "verdicts") judge=… gives "
                    + "the same pairs to another judge")
        }
        let names = [first.verdicts.judge, second.verdicts.judge]
        let cases = Judgement.allCases
        var document = Document(
            "\(names[0]) and \(names[1]): the same verdict in "
                + "\(NumberText.percent(agreement.share)) of "
                + NumberText.count(agreement.count, "pair"), .heading)
        let bounds = agreement.interval.map { interval in
            " (95 %: \(NumberText.fixed(interval.lower, decimals: 2)) to "
                + "\(NumberText.fixed(interval.upper, decimals: 2)))"
        }
        document.line(
            "by chance \(NumberText.percent(agreement.chance)); Cohen's kappa "
                + (agreement.kappa.map { NumberText.fixed($0, decimals: 2) }
                    ?? "has no value: one verdict only")
                + (bounds ?? ""))
        var table = Table(
            [.init(names[0])] + cases.map { .init("\(names[1]): \($0)", isNumeric: true) })
        for (row, judgement) in cases.enumerated() {
            table.append(["\(judgement)"] + agreement.table[row].map { "\($0)" })
        }
        document.line(table)
        if agreement.unmatched > 0 {
            document.line(
                "\(NumberText.count(agreement.unmatched, "verdict")) about other pairs left out",
                .faint)
        }
        let data = Value.record([
            "count": Value(agreement.count), "share": .number(agreement.share),
            "chance": .number(agreement.chance), "kappa": Value(agreement.kappa),
            "interval": agreement.interval.map { .list([.number($0.lower), .number($0.upper)]) }
                ?? .null,
            "table": .list(agreement.table.map { .list($0.map { Value($0) }) }),
            "unmatched": Value(agreement.unmatched),
        ])
        return CommandResult(
            value: data, Display(document, invocation.appearance, data: data))
    }
}
