import Foundation
import TestSupport
import Testing
import Transformers

@testable import Ranks

struct RankPlanTests {
    @Test func `hosts are names with numbers`() {
        #expect(
            RankPlan.hosts("a:2,b") == [.init(name: "a", slots: 2), .init(name: "b", slots: 1)])
        #expect(
            RankPlan.hosts("# two hosts\nnode-1.lan slots=4\nnode-2.lan:3\n")
                == [.init(name: "node-1.lan", slots: 4), .init(name: "node-2.lan", slots: 3)])
    }

    @Test(arguments: [
        "", "a:", "a:0", "a:x", "a slots=", "a cores=2", "-x", "a;b", "a:99999", "$(reboot)", ":2",
    ])
    func `anything else is none`(text: String) { #expect(RankPlan.hosts(text) == nil) }

    @Test(arguments: [
        (["SLURM_NTASKS": "6", "SLURM_TASKS_PER_NODE": "4,2"], 6),
        // `salloc -N 3`, without a number of tasks.
        (["SLURM_TASKS_PER_NODE": "2(x3),1"], 7), (["SLURM_TASKS_PER_NODE": "16"], 16),
        (["SLURM_NTASKS": "0"], nil), (["SLURM_TASKS_PER_NODE": "2(x"], nil),
        (["SLURM_TASKS_PER_NODE": "9999(x9999)"], nil), (["PBS_NODEFILE": "/nowhere"], nil),
        ([:], nil),
    ])
    func `an allocation tells the number of ranks`(variables: [String: String], count: Int?) {
        let plan = RankPlan.allocated(variables)
        #expect(plan?.count == count)
        // mpirun knows the nodes of Slurm.
        #expect(plan?.hosts == nil)
    }

    @Test func `PBS names its hosts once a task`() throws {
        let folder = try TemporaryFolder()
        let file = folder.path + "/nodes"
        try "n1\nn1\nn2.lan\nn2.lan\nn1\n".write(toFile: file, atomically: true, encoding: .utf8)
        let plan = try #require(RankPlan.allocated(["PBS_NODEFILE": file]))
        #expect(plan.count == 5)
        #expect(plan.hosts == [.init(name: "n1", slots: 3), .init(name: "n2.lan", slots: 2)])
        try "\n".write(toFile: file, atomically: true, encoding: .utf8)
        #expect(RankPlan.allocated(["PBS_NODEFILE": file]) == nil)
    }

    @Test func `the gateway stays here, and every host has its ranks and hears the settings`() {
        var plan = RankPlan(count: 3, hosts: RankPlan.hosts("a:1,b:2"), threads: 4, timeout: 60)
        func contexts() -> [ArraySlice<String>] {
            plan.arguments(program: "/bin/sami-rank", socket: "/t/s", isRoot: false)
                .split(separator: ":")
        }
        let all = contexts()
        #expect(all.count == 3)
        for (context, place) in zip(all, ["localhost:1 -n 1", "a:1 -n 1", "b:2 -n 2"]) {
            #expect(context.joined(separator: " ").contains("-host \(place)"))
            #expect(context.contains("SAMI_RANK_THREADS=4"))
            #expect(context.contains("SAMI_RANK_TIMEOUT=60"))
            #expect(context.suffix(2) == ["/bin/sami-rank", "/t/s"])
        }
        plan.count = 1
        #expect(contexts().count == 2, "a host without a rank is left out")
        let words = plan.arguments(program: "/bin/sami-rank", socket: "/t/s", isRoot: false)
        #expect(!words.contains("--allow-run-as-root"))
        #expect(
            plan.arguments(program: "p", socket: "s", isRoot: true)
                .contains("--allow-run-as-root"))
    }

    /// The words are those that OpenMPI 4.1.4, OpenSSH 9.2 and Slurm 22.05 say.
    @Test(arguments: [
        (
            "ssh: Could not resolve hostname b: Name or service not known ORTE was unable to reliably",
            "ssh: Could not resolve hostname b: Name or service not known"
        ),
        (
            "Host key verification failed. ORTE was unable to reliably start one or more daemons.",
            "Host key verification failed; ssh must know the key of each host: connect once by "
                + "hand, `ssh a` and `ssh b`"
        ),
        (
            "root@b: Permission denied (publickey). ORTE was unable",
            "root@b: Permission denied (publickey); ssh must need no password; this gives a host "
                + "your key: `ssh-copy-id a` and `ssh-copy-id b`"
        ),
        (
            "bash: line 1: /usr/bin/orted: No such file or directory ORTE was unable",
            "bash: line 1: /usr/bin/orted: No such file or directory; OpenMPI must be "
                + "installed on each host, at the same path as here"
        ),
        (
            "ssh: connect to host b port 22: Connection timed out ORTE was unable",
            "ssh: connect to host b port 22: Connection timed out; each host must be reachable by "
                + "ssh without a password"
        ),
        (
            "it could not access or execute an executable: Executable: /x Node: b while attempting to "
                + "start process rank 2.",
            "it could not access or execute an executable: Executable: /x Node: b while attempting "
                + "to start process rank 2; the same build must lie at the same path on each host"
        ),
        (
            "All nodes which are allocated for this job are already filled.",
            "All nodes which are allocated for this job are already filled; inside of an "
                + "allocation (n[1-2]) the ranks and the session must be on its nodes"
        ),
        (
            "the session is not on n1, where mpirun has started the gateway Primary job  terminated",
            "the session is not on n1, where mpirun has started the gateway; start the session on "
                + "the first node of the allocation (n[1-2])"
        ),
        ("...", "mpirun ended without a word"), ("", "mpirun ended without a word"),
    ])
    func `what the launcher says has a remedy where one is known`(words: String, advice: String) {
        let plan = RankPlan(count: 2, hosts: RankPlan.hosts("a,b"))
        let found = LauncherWords(words, plan, environment: ["SLURM_JOB_NODELIST": "n[1-2]"])
        #expect(found.advice == advice)
    }

    @Test(arguments: ["", "mpirun: Forwarding signal 18 to job"])
    func `a launcher that ends in a job is likely ended by the scheduler`(words: String) {
        func advice(_ environment: [String: String]) -> String {
            LauncherWords(words, RankPlan(count: 2), environment: environment).advice
        }
        #expect(advice([:]) == "mpirun ended without a word")
        #expect(
            advice(["SLURM_JOB_ID": "7"])
                == "mpirun ended without a word, as when the scheduler ends the job")
    }

    @Test func `the host that lost the network is found in the launcher's words`() {
        let plan = RankPlan(count: 2)
        let words = """
            ORTE has lost communication with a remote daemon. HNP daemon   : [[3285,0],0] on node \
            vm Remote daemon: [[3285,0],2] on node h2 This is usually due to
            """
        #expect(LauncherWords(words, plan).lostHost == "h2")
        #expect(LauncherWords("Remote daemon: on node h2", plan).lostHost == nil)
    }

    @Test func `ssh asks nothing and gives up in time, unless another program reaches the hosts`()
        throws
    {
        let folder = try TemporaryFolder()
        func arguments(_ variables: [String: String]) -> String? {
            RankProcess.variables(variables.merging(["HOME": folder.path]) { $1 })[
                "OMPI_MCA_plm_rsh_args"]
        }
        #expect(arguments([:]) == "-o BatchMode=yes -o ConnectTimeout=30")
        #expect(arguments(["OMPI_MCA_plm_rsh_args": "-4"]) == "-4")
        #expect(arguments(["OMPI_MCA_plm_rsh_agent": "rsh"]) == nil)
        let settings = folder.path + "/.openmpi"
        try FileManager.default.createDirectory(
            atPath: settings, withIntermediateDirectories: true)
        try "# mine\nplm_rsh_agent = rsh\n".write(
            toFile: settings + "/mca-params.conf", atomically: true, encoding: .utf8)
        #expect(arguments([:]) == nil)
    }

    @Test func `a step of Slurm lets another one start the daemons`() {
        #expect(RankProcess.variables(["SLURM_JOB_ID": "7"])["SLURM_OVERLAP"] == "1")
        #expect(RankProcess.variables([:])["SLURM_OVERLAP"] == nil)
    }

    @Test func `small gradients are summed together, each once and in its place`() throws {
        #expect(GradientBuckets([3, 4, 9, 1, 1], limit: 8).ranges == [0..<2, 2..<3, 3..<5])
        #expect(GradientBuckets([], limit: 8).ranges.isEmpty)
        let model = try TinyModels.model()
        for limit in [1, 50, 1 << 20] {
            var set = ParameterSet(zeros: model.parameters.layout)
            for index in set.tensors.indices { set.update(index) { $0[0] = Float(index) } }
            var (seen, places) = (0, 0)
            GradientBuckets(set.tensors.map(\.count), limit: limit).forEach(&set) {
                number, bucket in
                seen += bucket.count
                #expect(number == places)
                places += 1
                bucket.scale(by: 2)
            }
            #expect(seen == set.count)
            for (index, tensor) in set.tensors.enumerated() {
                #expect(tensor[0] == 2 * Float(index), "\(limit) \(index)")
            }
        }
    }

    @Test func `shares are contiguous, complete and balanced`() {
        for (sizes, ranks) in [
            ([Int](repeating: 3, count: 10), 4), ([100, 1, 1, 1], 2), ([5], 3), ([], 2),
            (Array(1...50), 7), ([0, 0, 0], 2),
        ] {
            let ranges = RankShares(sizes, ranks: ranks).ranges
            #expect(ranges.count == ranks)
            #expect(ranges.flatMap { Array($0) } == Array(sizes.indices))
            let loads = ranges.map { sizes[$0].reduce(0, +) }
            let fair = sizes.reduce(0, +) / ranks
            #expect((loads.max() ?? 0) <= fair + (sizes.max() ?? 0), "\(loads)")
        }
    }
}
