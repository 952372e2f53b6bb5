import Foundation
import NumberTypes
import TestSupport
import Testing

@testable import GGUF

/// Headers of GGUF files, sound and damaged. No file may end the process or take memory beyond its
/// own size.
@Suite struct GGUFFileTests {
    private static let sound = GGUFBuilder(
        keys: [
            ("general.architecture", .text("llama")), ("a.count", .uint32(7)),
            ("a.number", .float32(0.5)), ("a.flag", .bool(true)),
            ("a.texts", .texts(["one", "", "é😀"])), ("a.integers", .int32s([-1, 2])),
            ("a.numbers", .float32s([1.5, -2])),
        ],
        tensors: [
            .init("x", [2, 3], [1, 2, 3, 4, 5, 6]),
            .init("q", [1, 32], type: 8, bytes: [UInt8](repeating: 1, count: 34)),
        ])

    private func complaint(_ data: Data) -> String {
        do {
            _ = try GGUFFile(data: data, file: "m.gguf")
            return "none"
        } catch {
            return "\(error)"
        }
    }

    private func complaint(_ change: (inout GGUFBuilder) -> Void) -> String {
        var builder = Self.sound
        change(&builder)
        return complaint(builder.data)
    }

    @Test func `metadata and tensors are those of the file`() throws {
        let file = try GGUFFile(data: Self.sound.data, file: "m.gguf")
        #expect(
            file.metadata == [
                "general.architecture": .text("llama"), "a.count": .integer(7),
                "a.number": .number(0.5), "a.flag": .bool(true),
                "a.texts": .texts(["one", "", "é😀"]), "a.integers": .integers([-1, 2]),
                "a.numbers": .numbers([1.5, -2]),
            ])
        #expect(file.tensors.map(\.name) == ["x", "q"])
        #expect(file.tensors.map(\.shape) == [[2, 3], [1, 32]])
        #expect(file.tensors.map(\.format) == [.plain(.float32), .blocks(.q80)])
        #expect(file.address(file.tensors[0]).loadUnaligned(as: Float.self) == 1)
    }

    @Test func `a file cut anywhere is refused, with advice`() {
        let data = Self.sound.data
        // The last tensor's padding may be missing.
        let needed = data.count - 30
        for count in 0..<needed {
            let sentence = complaint(data.prefix(count))
            #expect(sentence.hasPrefix("m.gguf: "), "cut at \(count): \(sentence)")
            if count > 8 {
                #expect(
                    sentence.contains("incomplete"), "cut at \(count): \(sentence)")
            }
        }
        #expect(complaint(data.prefix(needed)) == "none")
    }

    @Test func `any changed byte of a header gives a sentence, or a file inside its bounds`() throws
    {
        let data = Self.sound.data
        for place in 0..<Self.sound.header.count {
            for value in [UInt8](arrayLiteral: 0, 1, 0x7F, 0x80, 0xFF) + (0..<8).map({ 1 << $0 }) {
                var changed = data
                changed[place] ^= value
                do {
                    let file = try GGUFFile(data: changed, file: "m.gguf")
                    #expect(file.tensors.allSatisfy { $0.bytes.upperBound <= data.count })
                } catch {
                    let sentence = "\(error)"
                    #expect(sentence.hasPrefix("m.gguf: ") && sentence.hasSuffix("."))
                }
            }
        }
    }

    @Test func `other formats and versions are named`() {
        #expect(
            complaint { $0.version = 1 }
                == "m.gguf: it is of version 1 of GGUF, of August 2023; versions 2 and 3 work: "
                + "convert the original model anew, with llama.cpp's convert_hf_to_gguf.py.")
        #expect(
            complaint { $0.version = UInt32(3).byteSwapped }
                == "m.gguf: it is big-endian, made for another kind of processor; convert it with "
                + "Python's gguf: gguf-convert-endian FILE little.")
        #expect(
            complaint { $0.version = 9 }
                == "m.gguf: it is of version 9 of GGUF; versions 2 and 3 work.")
        #expect(complaint { $0.version = 2 } == "none")
        #expect(
            complaint { $0.magic = Array("tjgg".utf8) }
                == "m.gguf: it is of a format that came before GGUF; convert the original model "
                + "anew, with llama.cpp's convert_hf_to_gguf.py.")
        #expect(
            complaint(Data("PK\u{3}\u{4} and so on".utf8))
                == "m.gguf: it does not begin with the letters GGUF, so it is no GGUF file.")
        #expect(
            complaint { $0.keys.append(("split.count", .uint32(3))) }
                == "m.gguf: it is one part of a model in 3 files; join them first, with "
                + "llama.cpp's llama-gguf-split --merge FIRST_PART.gguf WHOLE.gguf.")
    }

    @Test func `counts and lengths beyond the file are refused before memory is taken`() {
        let start = Self.sound.magic + GGUFBuilder.little(UInt32(3))
        let huge = GGUFBuilder.little(UInt64.max)
        let none = GGUFBuilder.little(UInt64(0))
        #expect(
            complaint(Data(start + huge + none))
                == "m.gguf: its header claims 18446744073709551615 tensors, and the file has only "
                + "8 bytes left; it is incomplete or damaged.")
        #expect(complaint(Data(start + none + huge)).contains("claims 18446744073709551615 keys"))
        #expect(
            complaint {
                $0.keys.append(
                    (
                        "z",
                        .raw(9, GGUFBuilder.little(UInt32(8)) + GGUFBuilder.little(UInt64(1) << 60))
                    ))
            }.contains("the list \"z\" claims 1152921504606846976 values"))
        #expect(
            complaint { $0.keys.append(("z", .raw(8, GGUFBuilder.little(UInt64(1) << 62)))) }
                .contains("claims a text of 4611686018427387904 bytes"))
    }

    @Test func `keys`() {
        #expect(
            complaint { $0.keys.append(("a.count", .uint32(8))) }
                == "m.gguf: its metadata has \"a.count\" twice.")
        #expect(
            complaint { $0.keys.append(("z", .raw(13, []))) }
                == "m.gguf: the value of \"z\" is of type 13, which the format does not have.")
        #expect(
            complaint { $0.keys.append(("z", .raw(7, [2]))) }
                == "m.gguf: the value of \"z\" is 2, neither true nor false.")
        let list = GGUFBuilder.little(UInt32(9)) + GGUFBuilder.little(UInt64(1))
        #expect(
            complaint { $0.keys.append(("z", .raw(9, list))) }
                == "m.gguf: the list \"z\" is a list of lists, which no key is.")
        let latin = GGUFBuilder.little(UInt64(1)) + [0xE9]
        #expect(
            complaint { $0.keys.append(("z", .raw(8, latin))) }
                == "m.gguf: the value of \"z\" has a text that is not UTF-8.")
        #expect(
            complaint { $0.keys.append(("general.alignment", .uint32(24))) }
                == "m.gguf: general.alignment is no power of two up to 1048576.")
    }

    @Test func `tensors`() {
        func with(_ tensor: GGUFBuilder.Tensor) -> String {
            complaint { $0.tensors.append(tensor) }
        }
        let bytes = [UInt8](repeating: 0, count: 64)
        #expect(
            with(.init("x", [2], bytes: bytes)) == "m.gguf: it has two tensors named \"x\".")
        #expect(
            with(.init("y", [16], bytes: bytes, offset: 8))
                == "m.gguf: tensor \"y\" begins at 8, not at a multiple of 32.")
        #expect(
            with(.init("y", [16], bytes: bytes, offset: 32))
                == "m.gguf: tensors \"q\" and \"y\" overlap.")
        #expect(
            with(.init("y", [1 << 20], bytes: bytes)).contains("lies beyond the end of the file"))
        #expect(
            with(.init("y", [16], bytes: bytes, offset: 1 << 63)).contains("lies beyond the end"))
        #expect(
            with(.init("y", [1 << 40, 1 << 40], bytes: bytes))
                == "m.gguf: tensor \"y\" of shape [1099511627776, 1099511627776] cannot be of type "
                + "F32: it is too large.")
        #expect(
            with(.init("y", [33], type: 8, bytes: bytes))
                == "m.gguf: tensor \"y\" of shape [33] cannot be of type Q8_0: its rows are no "
                + "multiple of 32.")
        #expect(
            with(.init("y", [1, 1, 1, 1, 2], bytes: bytes))
                == "m.gguf: tensor \"y\" has 5 dimensions; 1 to 4 are possible.")
        #expect(with(.init("y", [0], bytes: [])) == "m.gguf: tensor \"y\" has a side of 0.")
        #expect(
            with(.init("y", [16], type: 99, bytes: bytes))
                == "m.gguf: tensor \"y\" is of type 99, which is unknown here.")
        // A known type that is not read is a fault of the model, not of the file.
        #expect(with(.init("y", [256], type: 22, bytes: bytes)) == "none")
    }
}
