import Files
import Foundation
import HDF5Objects

/// The file `workspace.h5`: a tree of links to the values of all names, for h5py, h5ls and MATLAB.
///
/// The file is derived from HEAD and made again at every opening, so it is renamed into place
/// without an fsync. Its links are relative, so the folder can be moved.
enum LinkedFile {
    static let format = "sami workspace 1"

    /// - Parameter names: the names with the places of their values. A name of one place is a link;
    ///   a name of several is a group of links.
    static func write(_ path: String, names: [(name: String, places: ObjectPlaces)]) throws {
        try FileSystem.replace(path, .derived) { temporary in
            try HDF5.locked {
                try HDF5Writer.create(temporary, reserving: 0) { writer in
                    try writer.attribute(of: "/", "format", format)
                    for (name, object) in names {
                        let name = ObjectLayout.linkName(name)
                        for place in object.places {
                            try writer.externalLink(
                                place.path.isEmpty ? name : name + "/" + place.path,
                                file: "objects/" + place.file, path: "/" + place.target)
                        }
                    }
                }
            }
        }
    }
}
