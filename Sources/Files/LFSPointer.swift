/// The small text that Git LFS leaves in place of a large file until the file is brought
/// (git-lfs, docs/spec.md).
public enum LFSPointer {
    private static let start = Array("version https://git-lfs.github.com/spec/v1".utf8)

    /// Whether bytes begin a pointer.
    public static func begins(_ bytes: UnsafeRawBufferPointer) -> Bool {
        bytes.count >= start.count && bytes.prefix(start.count).elementsEqual(start)
    }

    /// Whether the file at a path is a pointer.
    public static func isPresent(at path: String) -> Bool {
        guard let file = try? RegularFile(path), (start.count...1024).contains(file.size),
            let bytes = try? file.readAll()
        else { return false }
        return bytes.withUnsafeBytes(begins)
    }
}
