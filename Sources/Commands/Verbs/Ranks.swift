import CommandLanguage
import Foundation
import LongWork
import Ranks
import Rendering
import Values

extension CommandTable {
    static let ranksCommand = Command(
        "ranks", .session, "lets several processes compute, here or on other machines",
        about: """
            Starts processes through MPI, which divide the queries of `rollout`, `score`, \
            `backward`, `train`, `finetune`, `iterate` and `judge` among them. `ranks 1` ends \
            them. `ranks all` takes what a job scheduler has given (Slurm, PBS), or one for each \
            processor. Each rank keeps a copy of the weights. With split=layers each has the weights \
            of some layers, and all queries go through all ranks: for a model that is too large \
            for one machine. Without arguments: the ranks, their hosts, memory and speed.
            """,
        effect: .manages,
        operands: [
            .optional(
                "count", .either([Choice("all", "an allocation, or all processors")], .number),
                "number of ranks")
        ],
        options: [
            OptionSpecification(
                "hosts", .text, "hosts and the ranks on each, as \"a:2,b:2\", in place of a number"),
            OptionSpecification("hostfile", .path, "a file of them: `a slots=2`, one a line"),
            OptionSpecification(
                "threads", .number, "threads of a rank; default: a share of its host's processors"),
            OptionSpecification(
                "split",
                .words(RankPlan.Split.allCases.map { Choice($0.rawValue) }),
                "what the ranks divide among them; default: queries"),
            OptionSpecification(
                "timeout", .number,
                "seconds without a sign of life until a rank counts as lost; default: 300"),
        ],
        example: "ranks", run: ranks)

    private static func ranks(_ invocation: Invocation) throws -> CommandResult {
        let session = invocation.session
        guard let plan = try plan(invocation) else { return shown(session.crew, invocation) }
        // Two sets of ranks would share the processors.
        session.crew?.end()
        session.crew = nil
        if plan.count > 1 || plan.hosts != nil {
            do {
                session.crew = try RankCrew.start(plan, watch: { invocation.cancel() })
            } catch is Canceled {
                throw invocation.error("stopped; there are no ranks")
            } catch {
                let role = ["count", "hosts", "hostfile"].first { invocation.has($0) }
                throw invocation.located(error, at: role)
            }
        }
        return shown(session.crew, invocation)
    }

    /// The ranks that are asked for; nil if none are.
    private static func plan(_ invocation: Invocation) throws -> RankPlan? {
        var hosts: [RankPlan.Host]?
        for (key, read) in [("hosts", false), ("hostfile", true)] {
            guard let text = try invocation.text(key) else { continue }
            guard hosts == nil else {
                throw invocation.error("give `hosts` or `hostfile`, not both", at: key)
            }
            let list =
                read
                ? String(
                    decoding: try FileReading.data(try invocation.path(key) ?? text, shown: text),
                    as: UTF8.self) : text
            guard let found = RankPlan.hosts(list) else {
                throw invocation.error(
                    read
                        ? "\(text) has a line that is no host; a line is as `a slots=2`"
                        : "`hosts` lists names and numbers of ranks, as \"a:2,b:2\"", at: key)
            }
            hosts = found
        }
        let limits = RankPlan.counts
        let places = hosts?.reduce(0) { $0 + $1.slots }
        var count: Int?
        if try invocation.word(invocation.argument("count")) == "all" {
            let allocation = hosts == nil ? RankPlan.allocated() : nil
            hosts = hosts ?? allocation?.hosts
            count =
                places ?? allocation?.count ?? ProcessInfo.processInfo.activeProcessorCount
        } else {
            count = try invocation.integer(
                "count", atLeast: limits.lowerBound, atMost: places ?? limits.upperBound)
        }
        guard var plan = (count ?? places).map({ RankPlan(count: $0, hosts: hosts) }) else {
            for key in ["threads", "split", "timeout"] where invocation.has(key) {
                throw invocation.error("`\(key)` needs a number of ranks", at: key)
            }
            return nil
        }
        plan.threads = try invocation.integer("threads", atLeast: 1, atMost: 1024)
        if let split = try invocation.text("split").flatMap(RankPlan.Split.init(rawValue:)) {
            plan.split = split
        }
        if let seconds = try invocation.integer(
            "timeout", atLeast: RankPlan.timeouts.lowerBound,
            atMost: RankPlan.timeouts.upperBound)
        {
            plan.timeout = seconds
        }
        return plan
    }

    /// One row a rank.
    static func shown(_ crew: RankCrew?, _ invocation: Invocation) -> CommandResult {
        guard let crew, crew.count > 0 else {
            return CommandResult(
                value: .list([]),
                Display(
                    StyledText(
                        crew == nil
                            ? "this process computes alone"
                            : "the ranks have ended; this process computes alone")))
        }
        var table = Table([
            .init("rank", isNumeric: true), .init("host"), .init("process", isNumeric: true),
            .init("threads", isNumeric: true), .init("memory", isNumeric: true),
            .init("GFLOP/s", isNumeric: true),
            .init("busy", isNumeric: true), .init("processor"),
        ])
        var rows: [Value] = []
        for (index, rank) in crew.ranks.enumerated() {
            table.append([
                "\(index + 1)", rank.host, "\(rank.process)", "\(rank.threads)",
                NumberText.bytes(rank.memory), NumberText.fixed(2 * rank.speed, decimals: 0),
                busy(crew, index), rank.processor,
            ])
            rows.append(
                .record([
                    "rank": Value(index + 1), "host": .text(rank.host),
                    "process": Value(Int(rank.process)), "threads": Value(rank.threads),
                    "memory": Value(rank.memory), "gigaflops": Value(2 * rank.speed),
                    "computing": Value(crew.costs.computing[index]),
                    "processor": .text(rank.processor),
                ]))
        }
        var text = table.rendered(invocation.appearance)
        let costs = crew.costs
        if costs.elapsed > 0 {
            text.line(
                "\(NumberText.fixed(costs.elapsed, decimals: 1)) s of work, "
                    + "\(NumberText.fixed(costs.adding, decimals: 1)) s of it adding gradients; "
                    + "\(NumberText.bytes(costs.sent)) of tensors sent, "
                    + "\(NumberText.bytes(costs.received)) received", .faint)
        }
        return CommandResult(value: .list(rows), Display(text))
    }

    /// The share of the work's time in which a rank computed.
    private static func busy(_ crew: RankCrew, _ index: Int) -> String {
        let costs = crew.costs
        guard costs.elapsed > 0 else { return "" }
        return "\(Int((100 * costs.computing[index] / costs.elapsed).rounded())) %"
    }
}
