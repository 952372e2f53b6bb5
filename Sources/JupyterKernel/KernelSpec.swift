import Files
import Foundation
import JSON

/// The folder by which the clients of Jupyter know a kernel: `kernel.json` and its pictures.
///
/// Source: "Kernel specs" in the documentation of jupyter_client 8.
public struct KernelSpec: Sendable {
    /// The name of the folder, and of the kernel in notebooks.
    public static let name = "sami"

    /// The folder: `PREFIX/share/jupyter/kernels/sami`.
    public var folder: String

    /// Where a kernel is installed.
    public enum Place: Sendable {
        /// For the person who installs it.
        case user
        /// Below a prefix such as /usr/local.
        case prefix(String)
    }

    public init(_ place: Place, environment: [String: String]) {
        switch place {
        case .user: self.init(data: KernelSpec.userData(environment))
        case .prefix(let prefix):
            self.init(data: (prefix as NSString).appendingPathComponent("share/jupyter"))
        }
    }

    private init(data: String) {
        folder = (data as NSString).appendingPathComponent("kernels/\(KernelSpec.name)")
    }

    private static func userData(_ environment: [String: String]) -> String {
        if let data = environment["JUPYTER_DATA_DIR"], !data.isEmpty { return data }
        if let data = environment["XDG_DATA_HOME"], !data.isEmpty { return data + "/jupyter" }
        return (environment["HOME"] ?? NSHomeDirectory()) + "/.local/share/jupyter"
    }

    /// The folders in which clients of this environment look, the first ones first.
    public static func all(environment: [String: String]) -> [KernelSpec] {
        var data = (environment["JUPYTER_PATH"] ?? "").split(separator: ":").map(String.init)
        data.append(userData(environment))
        if let prefix = environment["VIRTUAL_ENV"] { data.append(prefix + "/share/jupyter") }
        data += ["/usr/local/share/jupyter", "/usr/share/jupyter"]
        var seen: Set<String> = []
        return data.filter { seen.insert($0).inserted }.map { KernelSpec(data: $0) }
    }

    private var file: String { folder + "/kernel.json" }

    public var isInstalled: Bool { FileSystem.kind(of: file) != .absent }

    /// The program that the installed kernel starts; nil if its `kernel.json` cannot be read.
    public var executable: String? {
        guard let bytes = try? RegularFile(file).contents(), let json = try? JSON.read(bytes) else {
            return nil
        }
        return json["argv"]?.elements?.first?.string
    }

    /// Writes the folder, in place of one that is there.
    ///
    /// - Parameters:
    ///   - executable: absolute, since clients start it from other folders.
    ///   - arguments: those of `sami kernel run`, but for the connection file.
    public func install(executable: String, arguments: [String]) throws(KernelError) {
        let command = [executable, "kernel", "run"] + arguments + ["{connection_file}"]
        let json: JSON = [
            "argv": .array(command.map { .string($0) }), "display_name": "sami",
            "interrupt_mode": "message", "language": "sami", "metadata": ["debugger": false],
        ]
        do {
            try FileManager.default.createDirectory(
                atPath: folder, withIntermediateDirectories: true)
            for logo in KernelLogo.files {
                try FileWriter.write(logo.data, to: folder + "/" + logo.name)
            }
            // Last: a folder without this file is no kernel.
            try FileWriter.write(Data((json.pretty + "\n").utf8), to: file)
        } catch let error as FileError {
            throw KernelError("\(error)")
        } catch {
            throw KernelError("\(folder) cannot be made: \(error.localizedDescription)")
        }
    }

    /// Removes the folder with all that is in it.
    public func uninstall() throws(KernelError) {
        do {
            try FileManager.default.removeItem(atPath: folder)
        } catch {
            throw KernelError("\(folder) cannot be removed: \(error.localizedDescription)")
        }
    }
}
