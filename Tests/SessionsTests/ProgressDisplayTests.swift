import Foundation
import LongWork
import Ranks
import TestSupport
import Testing

@testable import Commands
@testable import Rendering
@testable import Sessions

/// The progress of long work as a page shows it, and what verbs report.
@Suite struct ProgressDisplayTests {
    private func progress(_ losses: [Double]) -> Commands.Progress {
        Commands.Progress(
            task: "iterate: train", completed: 2, total: 4, unit: "queries", share: 0.35,
            rate: 431.2, rateUnit: "tokens/s", elapsed: 5, remaining: 80, isFinished: false,
            step: .init(3, of: 9), iteration: .init(1, of: 2), losses: Course(losses))
    }

    private func html(_ progress: Commands.Progress) throws -> String {
        let html = try #require(progress.display(Appearance()).html)
        return html().withDrawings
    }

    @Test func `weights on their way are shown in place of work that waits for them`() throws {
        let sending = RankSending(done: 113_000_000, total: 538_000_000)
        let shown = progress([0.9, 0.4]).waiting(for: sending)
        #expect(
            shown.line(width: 120)
                == "iterate: train  weights to ranks: 113 of 538 MB  21 %  "
                + "iteration 1 of 2, step 3 of 9, loss 0.400")
        #expect(try html(shown).contains("step 3 of 9, weights to ranks: 113 of 538 MB<"))
        // The clock of the work starts when they are there.
        var (reports, left) = ([Commands.Progress](), 2)
        let start = ContinuousClock.now
        var meter = ProgressMeter(
            task: "score",
            sending: {
                left -= 1
                return left >= 0 ? sending : nil
            }, report: { reports.append($0) })
        for done in [0, 0, 1] {
            usleep(150_000)
            meter.update(done, of: 2, unit: "queries", tokens: 10 * done)
        }
        meter.finish()
        #expect(reports.count == 4)
        #expect(reports.map { $0.counted?.hasPrefix("weights") } == [true, true, false, false])
        #expect(reports.prefix(2).allSatisfy { $0.rate == nil && $0.share ?? 1 < 0.22 })
        let elapsed = (ContinuousClock.now - start).seconds
        #expect(reports.last.map { $0.elapsed < elapsed - 0.2 } == true)
    }

    @Test func `a share alone is said once`() throws {
        var progress = Commands.Progress(
            task: "pack", completed: 82, total: 100, unit: Commands.Progress.percent, share: 0.82,
            rateUnit: "tokens/s", elapsed: 5, remaining: 1, isFinished: false)
        #expect(progress.line(width: 80) == "pack  82 %  1 s left")
        #expect(try html(progress).contains("82 %, 1 s left"))
        progress.isFinished = true
        progress.remaining = nil
        #expect(progress.line(width: 80) == "pack  5 s")
    }

    @Test func `a page has step, bar, loss, rate, time left and a chart`() throws {
        let page = try html(progress([0.9, 0.5, 0.4]))
        for part in [
            "<strong>iterate: train</strong>: iteration 1 of 2, step 3 of 9, 2 of 4 queries<",
            "width: 35%", ">35 %, loss 0.400, 431 tokens/s, 1:20 left in this phase<", "<svg ",
            "<polyline ", ">step</text>", ">loss, nats</text>",
        ] { #expect(page.contains(part), "\(part)") }
        // Readable in every theme, and cleaned by no client.
        #expect(!page.contains("#000") && !page.contains("#fff") && !page.contains("<script"))
        #expect(
            !page.contains("currentColor") && page.contains("<img alt=\"loss, nats over step\""))
        #expect(
            progress([0.9, 0.4]).display(Appearance(width: 120)).text().plain
                == "iterate: train  2/4 queries  35 %  1:20 left  431 tokens/s  "
                + "iteration 1 of 2, step 3 of 9, loss 0.400  █▁")
        let narrow = progress([0.9, 0.4]).display(Appearance(width: 30, isUnicode: false))
        #expect(narrow.text().plain == "iterate: train  2/4 queries")
    }

    @Test func `the end is 100 % with the time that the work took, and not before`() throws {
        var last = progress([0.9])
        last.share = 1
        #expect(try html(last).contains(">99 %"))
        (last.isFinished, last.remaining) = (true, nil)
        let page = try html(last)
        #expect(page.contains(">100 %, loss 0.900, 431 tokens/s, 5 s<"))
        #expect(page.contains("<circle "))
    }

    @Test func `work without losses or steps has no chart, and text is escaped`() throws {
        var plain = progress([])
        (plain.step, plain.iteration, plain.total, plain.share) = (nil, nil, nil, nil)
        plain.task = "<script>&\u{7}"
        let page = try html(plain)
        #expect(page.contains("&lt;script&gt;&amp;\\x07</strong>: 2 queries<"))
        #expect(!page.contains("<img") && !page.contains("border"))
        #expect(try html(progress([.nan])).contains("loss nan"))
        #expect(try html(progress([.nan, 1])).contains("<circle"))
    }

    /// The reports of a statement.
    private func reports(_ bench: Workbench, _ source: String) -> [Commands.Progress] {
        var found: [Commands.Progress] = []
        bench.session.evaluate(Session.parse(source)) { event in
            if case .progress(let progress) = event { found.append(progress) }
        }
        return found
    }

    @Test(.enabled(if: Workbench.hasShippedModel, "models/tiny is not here"))
    func `train and pretrain report the loss of every step that is done`() throws {
        let bench = try Workbench()
        try bench.output(
            """
            load model default; load queries summaries count=4
            principles = load principles trained; compose; rollout
            """)
        let last = try #require(reports(bench, "train steps=3 accumulate=2").last)
        #expect(last.isFinished && last.step == .init(3, of: 3))
        let losses = try bench.output("log.loss").value?.asTensor?.values ?? []
        #expect(losses.count == 3)
        #expect(last.losses.points.map { Float($0.value) } == losses)

        let end = try #require(reports(bench, "pretrain steps=3 batch=64").last)
        #expect(end.losses.points.map(\.step) == [1, 2, 3])
        #expect(end.completed == 3 && end.unit == "steps")
    }

    @Test(.enabled(if: Workbench.hasShippedModel, "models/tiny is not here"))
    func `iterate says which iteration it is in, and its losses go on`() throws {
        let bench = try Workbench()
        try bench.output("load model default; principles = load principles trained")
        let found = reports(bench, "iterate 2 queries=6 steps=2 accumulate=2")
        let phases = found.filter(\.isFinished)
        #expect(
            phases.map(\.task) == [
                "iterate: rollout", "iterate: train", "iterate: rollout", "iterate: train",
            ])
        #expect(phases.map { $0.iteration?.number } == [1, 1, 2, 2])
        #expect(phases.map { $0.losses.points.count } == [0, 2, 2, 4])
    }
}
