package kiln.weights;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import kiln.weights.WeightsException.Kind;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

class TorchHostileTest {
    private static final String END_OF_DIRECTORY = "PK\5\6";

    @TempDir
    Path folder;

    /** A pickle of {"a": tensor} over 4 floats in storage 0; the pieces are protocol 0 to 2 text. */
    private static String tensor(String elements, String first, String sizes, String strides) {
        return "ctorch._utils\n_rebuild_tensor_v2\n((U\7storagectorch\nFloatStorage\nU\0010U\3cpu" + elements + "tQ"
                + first + sizes + strides + "I00\nNtR";
    }

    private static String dict(String... keysAndValues) {
        return "\u0080\2}(" + String.join("", keysAndValues) + "u.";
    }

    private static final String GOOD = tensor("K\4", "K\0", "(K\2K\2t", "(K\2K\1t");

    private static Map<String, byte[]> torch(String pickle, int storageBytes) {
        Map<String, byte[]> entries = new LinkedHashMap<>();
        entries.put("x/data.pkl", pickle.getBytes(ISO_8859_1));
        entries.put("x/data/0", new byte[storageBytes]);
        return entries;
    }

    @Test
    void theHandMadeFileThatTheOthersBreakIsGood() {
        Path path = TestFiles.write(folder, "good.pt", TestFiles.zip(torch(dict("U\1a", GOOD), 16)));
        try (WeightsFile file = WeightsFile.open(path)) {
            assertThat(file.tensors()).containsExactly(new TensorInfo("a", DType.F32, 2, 2));
        }
    }

    @Test
    void callsOfForeignCodeAreNamedAndNotMade() {
        String shell = "cos\nsystem\n(U\2lstR";
        Path path = TestFiles.write(folder, "evil.pt", TestFiles.zip(torch(dict("U\1a", GOOD, "U\1b", shell, "U\1c", "(ibuiltins\neval\n"), 16)));
        try (WeightsFile file = WeightsFile.open(path)) {
            assertThat(file.tensors()).containsExactly(new TensorInfo("a", DType.F32, 2, 2));
            assertThat(file.unread().code()).containsExactly("os.system", "builtins.eval");
            assertThat(file.unread().values()).containsExactly("b (os.system)", "c (builtins.eval)");
        }
        Path alone = TestFiles.write(folder, "alone.pt", TestFiles.zip(torch("\u0080\2" + shell + ".", 16)));
        try (WeightsFile file = WeightsFile.open(alone)) {
            assertThat(file.tensors()).isEmpty();
            assertThat(file.unread()).isEqualTo(new UnreadValues(List.of("all of it (os.system)"), 1, List.of("os.system"), 1));
        }
    }

    @Test
    void whatIsToldOfForeignCodeIsBounded() {
        StringBuilder pickle = new StringBuilder("}(");
        for (int i = 0; i < 3000; i++) {
            pickle.append("I").append(i).append("\ncmodule\nName").append(i).append("\n)R");
        }
        Path path = TestFiles.write(folder, "many.pt", TestFiles.zip(torch(pickle + "u.", 16)));
        try (WeightsFile file = WeightsFile.open(path)) {
            assertThat(file.unread().values()).hasSize(20);
            assertThat(file.unread().valueCount()).isEqualTo(3000);
            assertThat(file.unread().code()).hasSize(20);
            assertThat(file.unread().codeCount()).isEqualTo(1000);
        }
    }

    @Test
    void plainWeightsNameNoForeignCodeAndATrainingStateIsToldByItsParts() {
        for (String name : new String[] {"views.pt", "float8.pt", "embedding.pt", "hypernetwork.pt", "one-tensor.pt", "learned_embeds.bin"}) {
            try (WeightsFile file = WeightsFile.open(TorchFixturesTest.FIXTURES.resolve(name))) {
                assertThat(file.unread()).as(name).isEqualTo(UnreadValues.NONE);
            }
        }
        try (WeightsFile file = WeightsFile.open(TorchFixturesTest.FIXTURES.resolve("lightning.ckpt"))) {
            assertThat(file.unread().values()).contains("optimizer_states (beside state_dict)");
        }
    }

    static Stream<Arguments> impossibleTensors() {
        return Stream.of(
                Arguments.of("K\5", "K\0", "(K\2t", "(K\1t", "needs 20 bytes"),
                Arguments.of("I-1\n", "K\0", "(K\2t", "(K\1t", "-1 elements"),
                Arguments.of("I9223372036854775807\n", "K\0", "(K\2t", "(K\1t", "elements"),
                Arguments.of("G12345678", "K\0", "(K\2t", "(K\1t", "no storage as torch"),
                Arguments.of("K\4", "K\1", "(K\4t", "(K\1t", "reaches beyond"),
                Arguments.of("K\4", "I-1\n", "(K\4t", "(K\1t", "starts at element -1"),
                Arguments.of("K\4", "G12345678", "(K\4t", "(K\1t", "not described"),
                Arguments.of("K\4", "K\0", "(I-4\nt", "(K\1t", "size or stride"),
                Arguments.of("K\4", "K\0", "(G12345678t", "(K\1t", "size or stride"),
                Arguments.of("K\4", "K\0", "N", "(K\1t", "no usable list"),
                Arguments.of("K\4", "K\0", "(K\4t", "(I-1\nt", "size or stride"),
                Arguments.of("K\4", "K\0", "(K\4t", "(K\1K\1t", "1 sizes and 2 strides"),
                Arguments.of("K\4", "K\0", "(K\3t", "(I9223372036854775807\nt", "reaches beyond"),
                Arguments.of("K\4", "I9223372036854775807\n", "(K\3t", "(K\1t", "reaches beyond"),
                Arguments.of("K\4", "K\0", "(I1000000000\nt", "(K\0t", "repeats its elements"),
                Arguments.of("K\4", "K\0", "(I4294967296\nI4294967296\nt", "(K\0K\0t", "more elements than"));
    }

    @ParameterizedTest
    @MethodSource("impossibleTensors")
    void aTensorThatItsStorageCannotHoldIsRefused(String elements, String first, String sizes, String strides, String message) {
        String tensor = tensor(elements, first, sizes, strides);
        assertThat(refused(TestFiles.zip(torch(dict("U\1a", tensor), 16)))).hasMessageContaining(message)
                .extracting(WeightsException::offset).isNotEqualTo(-1L);
    }

    @Test
    void aNameThatIsThereTwiceIsRefused() {
        assertThat(refused(TestFiles.zip(torch(dict("U\1a", GOOD, "U\1a", GOOD), 16)))).hasMessageContaining("\"a\" is there twice");
        assertThat(refused(TestFiles.zip(torch(dict("U\3a.b", GOOD, "U\1a", "}U\1b" + GOOD + "s"), 16))))
                .hasMessageContaining("\"a.b\" is there twice");
    }

    @Test
    void containersThatHoldThemselvesOrEachOtherEndlesslyAreRefused() {
        assertThat(refused(TestFiles.zip(torch("}q\0U\1ah\0s.", 16)))).hasMessageContaining("the pickle's ");
        StringBuilder bomb = new StringBuilder("}q\0");
        for (int level = 1; level < 60; level++) {
            bomb.append("}q").append((char) level).append("(U\1ah").append((char) (level - 1))
                    .append("U\1bh").append((char) (level - 1)).append('u');
        }
        assertThat(refused(TestFiles.zip(torch(bomb + ".", 16)))).hasMessageContaining("more often than its size allows");
        StringBuilder nested = new StringBuilder();
        for (int i = 0; i < 100; i++) {
            nested.append("}U\1a");
        }
        nested.append(GOOD).append("s".repeat(100)).append('.');
        assertThat(refused(TestFiles.zip(torch(nested.toString(), 16)))).hasMessageContaining("deep");
    }

    @Test
    void wideContainersThatAreSharedWidelyAreRefusedInsteadOfWalkedForHours() {
        String wide = "](" + "N".repeat(100_000) + "eq\0";
        String shared = "(" + "h\0".repeat(100_000) + "t";
        assertThat(refused(TestFiles.zip(torch("(" + wide + shared + "t.", 16)))).hasMessageContaining("more often than its size allows");

        String modules = ("(cm\nC\n)R}q\0(" + "NN".repeat(100_000) + "ubt").replace("N", "U\1n");
        String objects = "(" + "cm\nC\n)Rh\0b".repeat(50_000) + "t";
        assertThat(refused(TestFiles.zip(torch("(" + modules + objects + "t.", 16)))).hasMessageContaining("more often than its size allows");
    }

    @Test
    void oneTensorUnderEndlesslyManyNamesIsRefused() {
        StringBuilder pickle = new StringBuilder("}(U\1a").append(GOOD).append("q\0");
        pickle.append("X\u00e8\3\0\0").append("n".repeat(1000)).append("}(");
        for (int i = 0; i < 100_000; i++) {
            pickle.append("U\3").append((char) ('0' + i % 64)).append((char) ('0' + i / 64 % 64)).append((char) ('0' + i / 4096)).append("h\0");
        }
        assertThat(refused(TestFiles.zip(torch(pickle + "uu.", 16)))).hasMessageContaining("more often than its size allows");
    }

    @Test
    void namesThatGrowByRepetitionAreRefused() {
        String name = "X\u00e8\3\0\0" + "n".repeat(1000) + "q\1";
        StringBuilder nested = new StringBuilder("}" + name);
        nested.append("}h\1".repeat(9)).append(GOOD).append("s".repeat(10)).append('.');
        assertThat(refused(TestFiles.zip(torch(nested.toString(), 16)))).hasMessageContaining("more than 4096 characters");
    }

    @Test
    void aStorageThatIsNotInTheFileIsRefused() {
        Map<String, byte[]> entries = torch(dict("U\1a", GOOD), 16);
        entries.remove("x/data/0");
        assertThat(refused(TestFiles.zip(entries))).hasMessageContaining("no such entry");
    }

    @Test
    void zipsThatTorchDidNotWriteAreRefused() {
        assertThat(refused(TestFiles.zip(Map.of("readme.txt", new byte[3])))).hasMessageContaining("not one that torch wrote");
        Map<String, byte[]> two = torch(dict("U\1a", GOOD), 16);
        two.put("y/data.pkl", new byte[1]);
        assertThat(refused(TestFiles.zip(two))).hasMessageContaining("2 pickles");
        Map<String, byte[]> script = torch(dict("U\1a", GOOD), 16);
        script.put("x/constants.pkl", new byte[1]);
        assertThat(refused(TestFiles.zip(script))).hasMessageContaining("TorchScript");
        Map<String, byte[]> order = torch(dict("U\1a", GOOD), 16);
        order.put("x/byteorder", "middle".getBytes(ISO_8859_1));
        assertThat(refused(TestFiles.zip(order))).hasMessageContaining("byte order \"middle\"");
    }

    @Test
    void zipTricksAreRefused() {
        byte[] good = TestFiles.zip(torch(dict("U\1a", GOOD), 16));
        int end = new String(good, ISO_8859_1).lastIndexOf(END_OF_DIRECTORY);
        int directory = ByteBuffer.wrap(good).order(ByteOrder.LITTLE_ENDIAN).getInt(end + 16);
        int second = new String(good, ISO_8859_1).lastIndexOf("PK\1\2");

        assertThat(refused(patched(good, directory + 42, 0xfffffffeL, 4))).hasMessageContaining("is said to have");
        assertThat(refused(patched(good, directory + 42, 0xffffffffL, 4))).hasMessageContaining("is said to have");
        assertThat(refused(patched(good, directory + 20, 0x7fffffffL, 4))).hasMessageContaining("the file ends before");
        assertThat(refused(patched(good, directory + 24, 7, 4))).hasMessageContaining("two sizes");
        assertThat(refused(patched(good, directory + 10, 12, 2))).hasMessageContaining("method 12");
        assertThat(refused(patched(good, directory + 8, 1, 2))).hasMessageContaining("encrypted");
        assertThat(refused(patched(good, directory + 46, 'y', 1))).hasMessageContaining("not where the zip directory says");
        assertThat(refused(patched(good, directory, 0, 1))).hasMessageContaining("no entry 0 of 2");
        assertThat(refused(patched(good, end + 10, 3000, 2))).hasMessageContaining("3000 entries");
        assertThat(refused(patched(good, end + 12, 0x7fffffffL, 4))).hasMessageContaining("the zip directory is said");
        assertThat(refused(patched(good, end + 16, 0x7fffffffL, 4))).hasMessageContaining("the zip directory is said");
        assertThat(refused(patched(good, end + 20, 5, 2))).hasMessageContaining("no directory at its end");
        // Both entries' bytes on the same place: the second one's central header points at a copy of its local header inside the first.
        long size = ByteBuffer.wrap(good).order(ByteOrder.LITTLE_ENDIAN).getInt(directory + 24);
        assertThat(refused(patched(patched(good, directory + 24, size + 20, 4), directory + 20, size + 20, 4)))
                .hasMessageContaining("overlaps");
        assertThat(second).isGreaterThan(directory);
    }

    @Test
    void aBombInDeflatedEntriesIsRefusedBeforeItUnpacks() throws IOException {
        byte[] deflated = Files.readAllBytes(TorchFixturesTest.FIXTURES.resolve("views-deflated.pt"));
        int directory = new String(deflated, ISO_8859_1).indexOf("PK\1\2");
        assertThat(refused(patched(deflated, directory + 24, 50 << 20, 4))).hasMessageContaining("claims to unpack to");
        assertThat(refused(patched(deflated, directory + 24, 1 << 20, 4))).hasMessageContaining("does not unpack to its");
    }

    @Test
    void truncatedTorchFilesAreRefusedAtEveryLength() throws IOException {
        for (String name : new String[] {"views.pt", "views-legacy.pt", "lightning-legacy.ckpt"}) {
            byte[] whole = Files.readAllBytes(TorchFixturesTest.FIXTURES.resolve(name));
            for (int length = 0; length < whole.length; length += 5) {
                refused(Arrays.copyOf(whole, length));
            }
        }
    }

    @Test
    void otherPicklesThanTorchsAreRefused() {
        assertThat(refused("\u0080\2N.".getBytes(ISO_8859_1))).hasMessageContaining("not one that torch wrote");
        String magic = "\u0080\2\u008a\nl\u00fc\u009cF\u00f9 j\u00a8P\u0019.";
        assertThat(refused((magic + "\u0080\2M\u00ea\3.").getBytes(ISO_8859_1))).hasMessageContaining("version 1002");
        String start = magic + "\u0080\2M\u00e9\3." + "\u0080\2}.";
        assertThat(refused((start + "\u0080\2}.\u0080\2K\1.").getBytes(ISO_8859_1))).hasMessageContaining("list of storages is missing");
        assertThat(refused((start + "\u0080\2}.\u0080\2](U\1ae.").getBytes(ISO_8859_1))).hasMessageContaining("nothing uses");
        String legacy = dict("U\1a", "ctorch._utils\n_rebuild_tensor_v2\n((U\7storagectorch\nFloatStorage\nU\0010U\3cpuK\4NtQ"
                + "K\0(K\2t(K\1tI00\nNtR");
        String keys = "\u0080\2](U\0010e.";
        assertThat(refused((start + legacy + keys + "\5\0\0\0\0\0\0\0").getBytes(ISO_8859_1))).hasMessageContaining("has 5 elements");
        assertThat(refused((start + legacy + keys + "\4\0\0\0\0\0\0\0abc").getBytes(ISO_8859_1))).hasMessageContaining("ends before");
        assertThat(refused((start + legacy + "\u0080\2].").getBytes(ISO_8859_1))).hasMessageContaining("not in the file's list");
    }

    private static byte[] patched(byte[] bytes, int at, long value, int width) {
        byte[] copy = bytes.clone();
        for (int i = 0; i < width; i++) {
            copy[at + i] = (byte) (value >>> 8 * i);
        }
        return copy;
    }

    private WeightsException refused(byte[] bytes) {
        Path path = TestFiles.write(folder, "bad.pt", bytes);
        WeightsException e = catchThrowableOfType(WeightsException.class, () -> WeightsFile.open(path).close());
        assertThat(e).isNotNull();
        assertThat(e.file()).isEqualTo(path);
        assertThat(e.getMessage()).doesNotContain("\n").hasSizeLessThan(500);
        assertThat(e.kind()).isIn(Kind.CORRUPT, Kind.UNSUPPORTED);
        return e;
    }
}
