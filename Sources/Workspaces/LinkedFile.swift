import Files
import Foundation

/// The file `workspace.h5`: a tree of links to the values of all names, for h5py, h5ls and MATLAB.
///
/// The file is derived from HEAD and made again at every opening, so it is renamed into place
/// without an fsync. Its links are relative, so the folder can be moved.
enum LinkedFile {
    static let format = "sami workspace 1"

    /// - Parameter names: the names with their values, each with the path inside the object's file
    ///   that its link leads to.
    static func write(_ path: String, names: [(binding: BindingInfo, main: String)]) throws {
        try FileSystem.replace(path, .derived) { temporary in
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
