import Foundation

/// The programs of the package, which the build puts beside the test bundle.
public enum BuiltPrograms {
    /// - Returns: nil if it was not built with the tests.
    public static func path(_ name: String) -> String? {
        let own =
            (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")) ?? ""
        let folders = [
            Bundle.main.bundleURL.path,
            (CommandLine.arguments[0] as NSString).deletingLastPathComponent,
            (own as NSString).deletingLastPathComponent,
        ]
        return executable(name, in: folders)
    }

    /// The program of a rank, if there is an `mpirun` to start it.
    public static let rank: String? = {
        let path = ProcessInfo.processInfo.environment["PATH"] ?? ""
        let launcher = executable("mpirun", in: path.split(separator: ":").map(String.init))
        return launcher == nil ? nil : BuiltPrograms.path("sami-rank")
    }()

    private static func executable(_ name: String, in folders: [String]) -> String? {
        folders.map { $0 + "/" + name }.first {
            FileManager.default.isExecutableFile(atPath: $0)
        }
    }
}
