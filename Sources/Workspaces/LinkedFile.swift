import Foundation

/// The file `workspace.h5`: one tree of links to what the names are bound to, for h5py, h5ls and
/// MATLAB.
///
/// It is derived from HEAD and made again when a workspace is opened, so it is renamed into place
/// but not waited for. Its links are relative: the folder can be moved.
enum LinkedFile {
    static let format = "sami workspace 1"

    /// - Parameter names: bound names, each with what the link leads to inside the object's file.
    static func write(_ path: String, names: [(binding: BindingInfo, main: String)]) throws {
        try Files.writeAside(path, durable: false) { temporary in
            try HDF5.locked {
                try HDF5Writer.create(temporary, reserving: 0) { writer in
                    try writer.attribute(of: "/", "format", format)
                    for (binding, main) in names {
                        guard let digest = binding.digest, isDigest(digest) else { continue }
                        try writer.externalLink(
                            ObjectLayout.linkName(binding.name),
                            file: "objects/" + ObjectStore.fileName(digest), path: "/" + main)
                    }
                }
            }
        }
    }
}
