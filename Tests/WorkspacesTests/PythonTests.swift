import Foundation
import NumberTypes
import TestSupport
import Testing

@testable import HDF5Objects
@testable import Workspaces

/// The files as other programs see them: h5py in a process of its own, while the workspace is open.
@Suite(.enabled(if: Python.withH5py != nil, "no Python with h5py: set SAMI_PYTHON or make .venv"))
struct PythonTests {
    @Test func h5pyOpensEveryNameFromOneFileWhileTheWorkspaceIsOpen() throws {
        let scratch = try Scratch()
        let workspace = try Workspace.open(scratch.workspace)
        try workspace.run(
            "everything",
            [
                "matrix": try array([1, 2, 3, 4, 5, 6, 7, 8], [2, 2, 2]),
                "rollouts": [["prompt": "naïve\0 😀", "score": 0.5], ["prompt": ""]],
                "model": [
                    "config": ["layers": 2],
                    "tensors": ["model.embed_tokens.weight": try array([1, 2], [1, 2])],
                ],
                "a/b %": 1,
            ])
        try workspace.run("rm", ["matrix": try array([1, 2, 3, 4], [2, 2])])
        let script = """
            import h5py, json, sys
            with h5py.File(sys.argv[1]) as f:
                print(sorted(f.keys()))
                print(f["matrix"][...].tolist(), f["matrix"].dtype)
                rollouts = json.loads(f["rollouts"][()])
                print(ascii(rollouts))
                print(f["model/tensors/model.embed_tokens.weight"][...].tolist())
                print(json.loads(f["model/json"][()]), f["model"].attrs["kind"].decode())
                print(f.attrs["format"].decode())
            """
        let text = try #require(Python.withH5py).run(script, [scratch.file("workspace.h5")])
        #expect(
            text == #"""
                ['a%2fb %25', 'matrix', 'model', 'rollouts']
                [[1.0, 2.0], [3.0, 4.0]] float32
                [{'prompt': 'na\xefve\x00 \U0001f600', 'score': 0.5}, {'prompt': ''}]
                [[1.0, 2.0]]
                {'config': {'layers': 2}, 'tensors': {'model.embed_tokens.weight': {'$array': 'tensors/model.embed_tokens.weight'}}} value
                sami workspace 1

                """#)
    }

    @Test func h5pySeesEveryElementTypeAndItsChecksum() throws {
        let scratch = try Scratch()
        let bytes = Data([0x80, 0x3F, 0, 0x40, 0, 0xC0, 0x20, 0x41])
        var record = StoredRecord()
        for type in DType.allCases {
            record[type.rawValue] = .array(
                try StoredArray(type: type, shape: [8 / type.size], bytes: bytes))
        }
        record["empty"] = try array([], [3, 0])
        record["scalar"] = try array([2.5], [])
        let path = scratch.path + "/object.h5"
        try StoredObject(kind: "tensor", value: .record(record)).write(to: path)
        let script = """
            import h5py, hashlib, json, sys
            import numpy as np
            with h5py.File(sys.argv[1]) as f:
                for name in f:
                    d = f[name]
                    if name == "json": continue
                    a = d[...]
                    assert hashlib.sha256(a.tobytes()).hexdigest() == d.attrs["sha256"].decode(), name
                    extra = ""
                    if d.attrs.get("dtype") == b"bfloat16":
                        extra = (a.astype("u4") << 16).view("f4").tolist()
                    print(name, d.dtype, d.shape, extra)
                text = f["json"][()]
                assert hashlib.sha256(text).hexdigest() == f["json"].attrs["sha256"].decode()
                print(f.attrs["format"].decode(), f.attrs["kind"].decode(), len(json.loads(text)))
            """
        let text = try #require(Python.withH5py).run(script, [path])
        #expect(
            text == """
                bfloat16 uint16 (4,) [1.0, 2.0, -2.0, 10.0]
                bool uint8 (8,)\u{20}
                empty float32 (3, 0)\u{20}
                float16 float16 (4,)\u{20}
                float32 float32 (2,)\u{20}
                float64 float64 (1,)\u{20}
                int16 int16 (4,)\u{20}
                int32 int32 (2,)\u{20}
                int64 int64 (1,)\u{20}
                int8 int8 (8,)\u{20}
                scalar float32 ()\u{20}
                uint16 uint16 (4,)\u{20}
                uint32 uint32 (2,)\u{20}
                uint64 uint64 (1,)\u{20}
                uint8 uint8 (8,)\u{20}
                sami object 1 tensor 15

                """)
    }

    @Test func digestsCanBeComputedInPython() throws {
        let scratch = try Scratch()
        let object = StoredObject(kind: "küche", value: .awkward)
        let path = scratch.path + "/object.h5"
        try object.write(to: path)
        // The recipe of docs/WORKSPACE.md.
        let script = """
            import h5py, hashlib, json, sys
            def text(value): return json.dumps(value, ensure_ascii=False)
            with h5py.File(sys.argv[1]) as f:
                found = []
                def visit(name, d):
                    if isinstance(d, h5py.Dataset) and name != "json":
                        kind = d.attrs["dtype"].decode() if "dtype" in d.attrs else d.dtype.name
                        found.append((name, kind, d.shape, d[...].tobytes()))
                f.visititems(visit)
                found.sort(key=lambda entry: entry[0].encode())
                content = bytes(f["json"][()])
                found.insert(0, ("json", "json", (len(content),), content))
                lines = ["sami object 1", text(f.attrs["kind"].decode())]
                for name, kind, shape, content in found:
                    sum = hashlib.sha256(content).hexdigest()
                    lines.append(" ".join([text(name), text(kind), *map(str, shape), text(sum)]))
                print(hashlib.sha256("\\n".join(lines).encode()).hexdigest())
            """
        let text = try #require(Python.withH5py).run(script, [path])
        #expect(try text == object.digest() + "\n")
    }

    @Test func aPackedFileOpensToo() throws {
        let scratch = try Scratch()
        let workspace = try Workspace.open(scratch.workspace)
        try workspace.run("x", ["x": try array([1, 2], [2])])
        _ = try workspace.pack(to: scratch.path + "/packed.h5")
        let script = """
            import h5py, json, sys
            with h5py.File(sys.argv[1]) as f:
                head = json.loads(f["HEAD"][()].tobytes())
                digest = head["names"][0]["digest"]
                print(f["objects"][digest]["array"][...].tolist())
                print(len(f["journal"][()].tobytes().splitlines()))
            """
        let text = try #require(Python.withH5py).run(script, [scratch.path + "/packed.h5"])
        #expect(text == "[1.0, 2.0]\n3\n")
    }
}
