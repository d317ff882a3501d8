package kiln.weights;

import static kiln.weights.TestFiles.entry;
import static kiln.weights.TestFiles.safetensors;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;
import kiln.weights.WeightsException.Kind;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

class SafetensorsReaderTest {
    @TempDir
    Path folder;

    static Stream<Arguments> badHeaders() {
        String good = entry("a", DType.F32, "[2]", 0, 8);
        return Stream.of(
                bad("not JSON", "{\"a\":", 0, "not JSON"),
                bad("no object", "[]", 0, "neither safetensors"),
                bad("text after the end", "{} x", 0, "not JSON"),
                bad("a second object", "{}{}", 0, "goes on after its end"),
                bad("UTF-16", "{\0\"\0a\0", 0, "not UTF-8"),
                bad("tensor twice", "{" + good + "," + good + "}", 8, "\"a\" is there twice"),
                bad("field twice", "{\"a\":{\"dtype\":\"F32\",\"dtype\":\"F32\",\"shape\":[],\"data_offsets\":[0,4]}}", 4,
                        "dtype of tensor \"a\" is there twice"),
                bad("metadata twice", "{\"__metadata__\":{},\"__metadata__\":{}}", 0, "__metadata__ is there twice"),
                bad("metadata key twice", "{\"__metadata__\":{\"k\":\"1\",\"k\":\"2\"}}", 0, "\"k\" is there twice"),
                bad("metadata of numbers", "{\"__metadata__\":{\"k\":1}}", 0, "a string as metadata"),
                bad("no dtype", "{\"a\":{\"shape\":[],\"data_offsets\":[0,4]}}", 4, "lacks dtype"),
                bad("no shape", "{\"a\":{\"dtype\":\"F32\",\"data_offsets\":[0,4]}}", 4, "lacks shape"),
                bad("no offsets", "{\"a\":{\"dtype\":\"F32\",\"shape\":[]}}", 4, "lacks data_offsets"),
                bad("unknown dtype", "{\"a\":{\"dtype\":\"F7\",\"shape\":[],\"data_offsets\":[0,4]}}", 4, "\"F7\""),
                bad("shape of NaN", "{" + entry("a", DType.F32, "[NaN]", 0, 8) + "}", 8, "not JSON"),
                bad("negative size", "{" + entry("a", DType.F32, "[-2]", 0, 8) + "}", 8, "-2"),
                bad("fractional size", "{" + entry("a", DType.F32, "[2.0]", 0, 8) + "}", 8, "whole numbers"),
                bad("size as text", "{" + entry("a", DType.F32, "[\"2\"]", 0, 8) + "}", 8, "whole numbers"),
                bad("size beyond long", "{" + entry("a", DType.F32, "[18446744073709551618]", 0, 8) + "}", 8, "18446744073709551618"),
                bad("number of a megabyte", "{" + entry("a", DType.F32, "[" + "1".repeat(1 << 20) + "]", 0, 8) + "}", 8, "JSON"),
                bad("product overflows to the right size", "{" + entry("a", DType.F32, "[4294967296,4294967296,2]", 0, 8) + "}",
                        8, "more elements than a file can hold"),
                bad("shape and bytes disagree", "{" + entry("a", DType.F32, "[3]", 0, 8) + "}", 8, "needs 12 bytes"),
                bad("half a byte", "{" + entry("a", DType.F4, "[3]", 0, 1) + "}", 1, "whole bytes"),
                bad("beyond the end", "{" + entry("a", DType.F32, "[2]", 4, 12) + "}", 8, "claims the bytes 4 to 12 of 8"),
                bad("backwards", "{" + entry("a", DType.F32, "[2]", 8, 0) + "}", 8, "claims the bytes 8 to 0"),
                bad("huge offsets", "{" + entry("a", DType.F32, "[2]", 9223372036854775800L, Long.MAX_VALUE) + "}", 8, "claims the bytes"),
                bad("three offsets", "{\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,8,8]}}", 8, "claims the bytes"),
                bad("overlap", "{" + good + "," + entry("b", DType.F32, "[2]", 4, 12) + "}", 12, "\"b\" overlaps tensor \"a\""),
                bad("gap", "{" + good + "," + entry("b", DType.F32, "[2]", 12, 20) + "}", 20, "belong to no tensor"),
                bad("bytes after the last tensor", "{" + good + "}", 12, "4 bytes after the last tensor"),
                bad("deep nesting", "{\"a\":{\"x\":" + "[".repeat(100_000) + "}}", 0, "JSON"));
    }

    private static Arguments bad(String what, String header, int dataBytes, String message) {
        return Arguments.of(what, header, dataBytes, message);
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("badHeaders")
    void aBadHeaderIsRefusedInOneLineWithFileAndOffset(String what, String header, int dataBytes, String message) {
        WeightsException e = refused(safetensors(header, dataBytes));

        assertThat(e).hasMessageContaining(message).hasMessageContaining("bad.safetensors: ");
        assertThat(e.getMessage()).hasSizeLessThan(500).doesNotContain("\n");
        assertThat(e.offset()).isGreaterThanOrEqualTo(0);
        assertThat(e.kind()).isIn(Kind.CORRUPT, Kind.UNSUPPORTED);
    }

    @Test
    void aHeaderLengthBeyondTheFileOrTheFormatIsRefusedBeforeAnythingIsAllocated() {
        for (long length : new long[] {Long.MIN_VALUE, -1, Long.MAX_VALUE, 100_000_001, 11}) {
            byte[] file = ByteBuffer.allocate(18).order(ByteOrder.LITTLE_ENDIAN).putLong(length).put((byte) '{').array();
            assertThat(refused(file)).hasMessageContaining("header claims " + Long.toUnsignedString(length));
        }
    }

    @Test
    void anEmptyFileATextAndAFolderAreRefused() {
        assertThat(refused(new byte[0])).hasMessageContaining("empty");
        assertThat(refused("<!DOCTYPE html>\n<html>".getBytes())).hasMessageContaining("starts with \"<!DOCTYPE html>?\"");
        WeightsException e = catchThrowableOfType(WeightsException.class, () -> WeightsFile.open(folder));
        assertThat(e).hasMessageContaining("not a regular file");
    }

    @Test
    void aMissingFileIsNotFound() {
        WeightsException e = catchThrowableOfType(WeightsException.class, () -> WeightsFile.open(folder.resolve("none.ckpt")));
        assertThat(e.kind()).isEqualTo(Kind.NOT_FOUND);
    }

    @Test
    void spacesAfterTheHeaderUnknownFieldsAndAnyOrderAreAccepted() {
        String header = "{" + entry("b", DType.I8, "[2]", 3, 5) + ",\"a\":{\"note\":{\"x\":[1]},\"data_offsets\":[0,3],"
                + "\"shape\":[3,1],\"dtype\":\"U8\"}," + entry("none", DType.F64, "[0,9223372036854775807]", 5, 5) + "}    ";
        try (WeightsFile file = WeightsFile.open(TestFiles.write(folder, "good", safetensors(header, 5)))) {
            assertThat(file.tensors()).containsExactly(new TensorInfo("b", DType.I8, 2), new TensorInfo("a", DType.U8, 3, 1),
                    new TensorInfo("none", DType.F64, List.of(0L, Long.MAX_VALUE)));
            assertThat(file.readF32("none")).isEmpty();
        }
    }

    @Test
    void aTruncatedRealFileIsRefusedAtEveryLength() throws IOException {
        byte[] whole = java.nio.file.Files.readAllBytes(TorchFixturesTest.FIXTURES.resolve("dtypes.safetensors"));
        for (int length = 0; length < whole.length; length += 7) {
            refused(Arrays.copyOf(whole, length));
        }
    }

    @Test
    void aTensorOfMoreThanTwoGibibytesIsMappedInPieces() throws IOException {
        long bytes = (2L << 30) + 12;
        Path path = TestFiles.write(folder, "large", safetensors("{" + entry("a", DType.F32, "[" + bytes / 4 + "]", 0, bytes) + "}", 0));
        try (RandomAccessFile sparse = new RandomAccessFile(path.toFile(), "rw")) {
            long end = sparse.length() + bytes;
            sparse.setLength(end);
            sparse.seek(end - 1);
            sparse.write(7);
        }
        try (WeightsFile file = WeightsFile.open(path); TensorData data = file.map("a")) {
            List<ByteBuffer> chunks = data.chunks();
            assertThat(chunks).extracting(ByteBuffer::remaining).containsExactly(1 << 30, 1 << 30, 12);
            assertThat(chunks.get(2).get(11)).isEqualTo((byte) 7);
            assertThat(catchThrowableOfType(WeightsException.class, data::bytes)).hasMessageContaining("one buffer holds");
        }
    }

    private WeightsException refused(byte[] bytes) {
        Path path = TestFiles.write(folder, "bad.safetensors", bytes);
        WeightsException e = catchThrowableOfType(WeightsException.class, () -> WeightsFile.open(path).close());
        assertThat(e).isNotNull();
        assertThat(e.file()).isEqualTo(path);
        return e;
    }
}
