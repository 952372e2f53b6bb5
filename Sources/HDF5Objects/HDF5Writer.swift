import CHDF5
import Files
import Foundation

/// Access to the HDF5 library: calls run one at a time, print nothing, and fail with an error that
/// names the file and the value.
package enum HDF5 {
    private static let lock = NSLock()
    private nonisolated(unsafe) static var isOpen = false  // guarded by `lock`

    package static func locked<Result>(_ body: () throws -> Result) rethrows -> Result {
        lock.lock()
        defer { lock.unlock() }
        if !isOpen {
            // The library's own exit handler could run in the middle of a call that a signal
            // interrupted.
            H5dont_atexit()
            H5open()
            chdf5_silence()
            isOpen = true
        }
        return try body()
    }

    /// The library's first error message.
    static func complaint() -> String {
        var text = [CChar](repeating: 0, count: 256)
        guard chdf5_last_error(&text) != 0 else { return "no reason given" }
        let bytes = text.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }
        return String(decoding: bytes, as: UTF8.self)
    }
}

/// An HDF5 file during writing, under a temporary name. It contains only groups, contiguous
/// datasets without filters, text attributes and external links.
///
/// Use only inside `HDF5.locked`.
package struct HDF5Writer {
    private let file: hid_t
    private let path: String
    private let links: hid_t
    private let datasets: hid_t

    /// Creates the file, calls `body` to fill it, and closes it.
    ///
    /// - Parameter reserving: number of bytes of the datasets. The space is allocated first,
    ///   because the library cannot handle a disk that fills up during writing, and sometimes
    ///   crashes.
    package static func create(
        _ path: String, reserving: Int, body: (HDF5Writer) throws -> Void
    ) throws {
        let access = H5Pcreate(chdf5_file_access())
        defer { H5Pclose(access) }
        // No other process knows the temporary name. Locking would only fail on file systems
        // without locks.
        H5Pset_file_locking(access, false, true)
        // Large values can then be used where they lie in a mapped file.
        H5Pset_alignment(access, hsize_t(UntrustedFile.leastMapped), 64)
        let file = H5Fcreate(path, chdf5_truncate(), chdf5_default(), access)
        guard file >= 0 else {
            throw FileError(.write, path, .library(HDF5.complaint()))
        }
        let links = H5Pcreate(chdf5_link_create())
        let datasets = H5Pcreate(chdf5_dataset_create())
        defer {
            H5Pclose(links)
            H5Pclose(datasets)
        }
        var failure: (any Error)?
        do {
            H5Pset_create_intermediate_group(links, 1)
            H5Pset_obj_track_times(datasets, false)
            H5Pset_fill_time(datasets, H5D_FILL_TIME_NEVER)
            H5Pset_attr_phase_change(datasets, 8, 6)
            if reserving > 0 { try reserve(reserving, in: file, path: path) }
            try body(HDF5Writer(file: file, path: path, links: links, datasets: datasets))
        } catch {
            failure = error
        }
        let closed = H5Fclose(file) >= 0
        if let failure { throw failure }
        guard closed else {
            throw FileError(.write, path, .library(HDF5.complaint()))
        }
        if reserving > 0 { try trim(path) }
    }

    /// Frees the reserved space after the end that the file states in its first 48 bytes. The
    /// library truncates a file only to a size that it knows.
    private static func trim(_ path: String) throws {
        let head = [UInt8](try UntrustedFile(path).read(at: 0, count: 48))
        let end = head[40...].reversed().reduce(0) { $0 << 8 | UInt64($1) }
        guard let end = off_t(exactly: end), truncate(path, end) == 0 else {
            throw FileError.last(.write, path)
        }
    }

    private static func reserve(_ bytes: Int, in file: hid_t, path: String) throws {
        var handle: UnsafeMutableRawPointer?
        guard H5Fget_vfd_handle(file, chdf5_default(), &handle) >= 0, let handle else { return }
        let descriptor = handle.load(as: Int32.self)
        // fallocate, not posix_fallocate: on a file system without support the latter writes every
        // block.
        guard fallocate(descriptor, 0, 0, off_t(bytes)) != 0 else { return }
        let code = errno
        guard code == ENOSPC || code == EFBIG || code == EDQUOT else { return }
        ftruncate(descriptor, 0)
        throw FileError(.write, path, .init(errno: code))
    }

    private func check(_ id: some SignedInteger, _ value: String) throws {
        guard id < 0 else { return }
        throw FileError(.write, path, .library("\(value): \(HDF5.complaint())"))
    }

    /// Creates a group and the groups above it.
    package func group(_ name: String) throws {
        let group = H5Gcreate2(file, name, links, chdf5_default(), chdf5_default())
        try check(group, name)
        H5Gclose(group)
    }

    /// Text as one scalar element, which h5py passes to `json.loads` unchanged.
    func text(_ name: String, _ bytes: [UInt8], sha256: String?) throws {
        let type = H5Tcopy(chdf5_type_string())
        defer { H5Tclose(type) }
        try check(H5Tset_size(type, max(bytes.count, 1)), name)
        H5Tset_strpad(type, H5T_STR_NULLPAD)
        H5Tset_cset(type, H5T_CSET_UTF8)
        let space = H5Screate(H5S_SCALAR)
        defer { H5Sclose(space) }
        let content = bytes.isEmpty ? [0] : bytes
        try content.withUnsafeBytes { content in
            try dataset(name, type: type, space: space, content: content) { dataset in
                if let sha256 { try attribute(dataset, "sha256", sha256) }
            }
        }
    }

    /// An array, written by one call.
    package func array(_ name: String, _ array: StoredArray, sha256: String) throws {
        let type: hid_t =
            switch array.type {
            case .float64: H5Tcopy(chdf5_type_f64())
            case .float32: H5Tcopy(chdf5_type_f32())
            case .float16: chdf5_make_f16()
            case .int64: H5Tcopy(chdf5_type_i64())
            case .int32: H5Tcopy(chdf5_type_i32())
            case .int16: H5Tcopy(chdf5_type_i16())
            case .int8: H5Tcopy(chdf5_type_i8())
            case .uint64: H5Tcopy(chdf5_type_u64())
            case .uint32: H5Tcopy(chdf5_type_u32())
            case .uint16, .bfloat16: H5Tcopy(chdf5_type_u16())
            case .uint8, .bool: H5Tcopy(chdf5_type_u8())
            }
        try check(type, name)
        defer { H5Tclose(type) }
        let shape = array.shape.map { hsize_t($0) }
        let space =
            shape.isEmpty
            ? H5Screate(H5S_SCALAR) : H5Screate_simple(Int32(shape.count), shape, nil)
        try check(space, name)
        defer { H5Sclose(space) }
        try withExtendedLifetime(array) {
            try dataset(name, type: type, space: space, content: array.memory.buffer) { dataset in
                try attribute(dataset, "sha256", sha256)
                if array.type.hdf5Type != array.type {
                    try attribute(dataset, "dtype", array.type.rawValue)
                }
            }
        }
    }

    private func dataset(
        _ name: String, type: hid_t, space: hid_t, content: UnsafeRawBufferPointer,
        then body: (hid_t) throws -> Void
    ) throws {
        let dataset = H5Dcreate2(file, name, type, space, links, datasets, chdf5_default())
        try check(dataset, name)
        defer { H5Dclose(dataset) }
        if let base = content.baseAddress, !content.isEmpty {
            try check(
                H5Dwrite(dataset, type, chdf5_all(), chdf5_all(), chdf5_default(), base), name)
        }
        try body(dataset)
    }

    /// A text attribute on an existing group; `"/"` is the file itself.
    package func attribute(of group: String, _ key: String, _ value: String) throws {
        let object = H5Oopen(file, group, chdf5_default())
        try check(object, group)
        defer { H5Oclose(object) }
        try attribute(object, key, value)
    }

    private func attribute(_ object: hid_t, _ key: String, _ value: String) throws {
        let type = H5Tcopy(chdf5_type_string())
        defer { H5Tclose(type) }
        let bytes = Array(value.utf8)
        H5Tset_size(type, max(bytes.count, 1))
        H5Tset_strpad(type, H5T_STR_NULLPAD)
        H5Tset_cset(type, H5T_CSET_UTF8)
        let space = H5Screate(H5S_SCALAR)
        defer { H5Sclose(space) }
        let attribute = H5Acreate2(object, key, type, space, chdf5_default(), chdf5_default())
        try check(attribute, key)
        defer { H5Aclose(attribute) }
        try check(H5Awrite(attribute, type, bytes.isEmpty ? [0] : bytes), key)
    }

    /// A link to an object in another file. The path of this file is relative to the folder of the
    /// linking file.
    package func externalLink(_ name: String, file target: String, path: String) throws {
        try check(
            H5Lcreate_external(target, path, file, name, links, chdf5_default()), name)
    }
}
