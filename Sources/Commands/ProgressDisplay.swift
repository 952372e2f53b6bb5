import LongWork
import Rendering

extension Progress {
    /// The progress as a host with a page shows it, again and again in one place.
    ///
    /// The text is the line of a terminal. The HTML names the work, its iteration and its step, and
    /// has a bar, the loss, the rate, the time left, and a chart of the loss so far. It holds no
    /// script.
    public func display(_ appearance: Appearance) -> Display {
        let progress = self
        return Display(
            text: {
                StyledText(
                    progress.line(width: appearance.columns, isUnicode: appearance.isUnicode))
            }, html: { progress.html })
    }

    private var html: String {
        let place = [
            iteration.map { "iteration \($0.number) of \($0.count)" },
            step.map { "step \($0.number) of \($0.count)" }, counted,
        ]
        let said = place.compactMap(\.self).joined(separator: ", ")
        var page = HTML.element(
            "div",
            HTML.element("strong", HTML.escaped(TextWidth.oneLine(task)))
                + (said.isEmpty ? "" : ": " + HTML.escaped(said)))
        // Never 100 % before the end.
        let percent = share.map { isFinished ? 100 : Int(100 * min(max($0, 0), 0.99)) }
        if let percent { page += Progress.bar(percent) }
        let speed = [
            percent.map { "\($0) %" }, loss,
            rate.map { "\(NumberText.significant($0, digits: 3)) \(rateUnit)" }, time,
        ]
        page += HTML.element("div", HTML.escaped(speed.compactMap(\.self).joined(separator: ", ")))
        let points = losses.points.map { (x: $0.step, y: $0.value) }
        if let chart = RunningChart(points: points, xName: "step", yName: "loss, nats").html {
            page += chart
        }
        return HTML.element("div", style: "max-width: 480px", page)
    }

    /// "1:20 left"; of iterations "1:20 left in this phase".
    private var time: String? {
        if isFinished { return NumberText.duration(elapsed) }
        guard let remaining else { return nil }
        return NumberText.duration(remaining < 1 ? 1 : remaining.rounded(.up)) + " left"
            + (iteration == nil ? "" : " in this phase")
    }

    private static func bar(_ percent: Int) -> String {
        let filled = HTML.element(
            "div",
            style: "width: \(percent)%; height: 8px; background-color: #808080",
            "")
        return HTML.element(
            "div", style: "border: 1px solid #808080; margin: 4px 0", title: "\(percent) %",
            filled)
    }
}
