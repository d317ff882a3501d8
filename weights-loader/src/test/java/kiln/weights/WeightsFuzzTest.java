package kiln.weights;

import static org.assertj.core.api.Assertions.assertThat;

import com.sun.management.ThreadMXBean;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.lang.management.ManagementFactory;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import kiln.weights.pickle.PickleException;
import kiln.weights.pickle.PickleMachine;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/**
 * Damaged files either open or are refused by a {@link WeightsException}, with memory in proportion to the file. More cases than the
 * default: {@code -Dkiln.fuzz.cases=10000000}; other ones: {@code -Dkiln.fuzz.seed=7}.
 */
@Timeout(value = 30, unit = TimeUnit.MINUTES)
class WeightsFuzzTest {
    private static final int CASES = Integer.getInteger("kiln.fuzz.cases", 100_000);
    private static final long SEED = Long.getLong("kiln.fuzz.seed", 20221006);

    /** An operation of one byte makes an object of some dozen, and the collections that hold it grow by copying. */
    private static final long ALLOCATED_PER_BYTE = 100;

    /** Buffers of the JSON parser, collections at their first size, the exception with its stack trace. */
    private static final long ALLOCATED_ANYWAY = 256 << 10;

    /** Opcodes of all protocols that take no bytes of their own, for pickles made from nothing. */
    private static final String OPCODES =
            "(.012NQRabdelostu)]}\u0081\u0085\u0086\u0087\u0088\u0089\u008f\u0090\u0091\u0092\u0093\u0094";

    private final ThreadMXBean threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();

    @TempDir
    Path folder;

    @Test
    void damagedFilesOpenOrAreRefusedWithinTheirMeans() throws IOException {
        List<byte[]> corpus = corpus();
        Random random = new Random(SEED);
        Mutator mutator = new Mutator(random);
        for (int i = 0; i < CASES / 4; i++) {
            byte[] damaged = mutator.mutate(any(corpus, random), any(corpus, random));
            Path path = rewrite("fuzz.bin", damaged);
            boolean mapAll = i % 16 == 0;
            checkWithinMeans(i, damaged, () -> open(path, mapAll));
        }
    }

    @Test
    void damagedPicklesInSoundZipFilesOpenOrAreRefusedWithinTheirMeans() throws IOException {
        List<Map<String, byte[]>> corpus = new ArrayList<>();
        for (byte[] bytes : corpus()) {
            if (bytes[0] == 'P') {
                corpus.add(TestFiles.unzip(bytes));
            }
        }
        Random random = new Random(SEED + 1);
        Mutator mutator = new Mutator(random);
        for (int i = 0; i < CASES / 4; i++) {
            Map<String, byte[]> entries = new LinkedHashMap<>(any(corpus, random));
            entries.replaceAll((name, bytes) -> name.endsWith("data.pkl") ? mutator.mutate(bytes, bytes) : bytes);
            byte[] damaged = TestFiles.zip(entries);
            Path path = rewrite("fuzz.pt", damaged);
            boolean mapAll = i % 16 == 0;
            checkWithinMeans(i, damaged, () -> open(path, mapAll));
        }
    }

    @Test
    void damagedSafetensorsHeadersAreReadOrRefusedWithinTheirMeans() throws IOException {
        byte[] small = header(TorchFixturesTest.FIXTURES.resolve("dtypes.safetensors"));
        byte[] demo = header(DemoModelTest.DEMO);
        Random random = new Random(SEED + 2);
        Mutator mutator = new Mutator(random);
        Path path = folder.resolve("header.safetensors");
        for (int i = 0; i < CASES / 4; i++) {
            byte[] header = random.nextInt(20) == 0 ? demo : small;
            byte[] damaged = mutator.mutate(header, header);
            checkWithinMeans(i, damaged, () -> {
                try {
                    SafetensorsReader.read(path, damaged, 8 + damaged.length, 3640);
                } catch (WeightsException e) {
                    checkMessage(path, e);
                } catch (IOException e) {
                    throw new AssertionError("no file is read here", e);
                }
            });
        }
    }

    @Test
    void picklesOfRandomOperationsAreReadOrRefusedWithinTheirMeans() {
        Random random = new Random(SEED + 3);
        for (int i = 0; i < CASES / 4; i++) {
            byte[] pickle = new byte[1 + random.nextInt(400)];
            for (int k = 0; k < pickle.length; k++) {
                // Mostly opcodes that build up, some of any kind, some numbers.
                int kind = random.nextInt(10);
                pickle[k] = (byte) (kind < 4 ? "N)]}(q2h".charAt(random.nextInt(8))
                        : kind < 8 ? OPCODES.charAt(random.nextInt(OPCODES.length()))
                        : kind == 8 ? random.nextInt(4) : random.nextInt());
            }
            checkWithinMeans(i, pickle, () -> {
                try {
                    PickleMachine.read(ByteBuffer.wrap(pickle));
                } catch (PickleException e) {
                    assertThat(e.position()).isBetween(0, pickle.length);
                }
            });
        }
    }

    private static List<byte[]> corpus() throws IOException {
        List<byte[]> corpus = new ArrayList<>();
        for (String name : TorchFixturesTest.files().toList()) {
            corpus.add(Files.readAllBytes(TorchFixturesTest.FIXTURES.resolve(name)));
        }
        return corpus;
    }

    private static byte[] header(Path safetensors) throws IOException {
        byte[] file = Files.readAllBytes(safetensors);
        return Arrays.copyOfRange(file, 8, 8 + ByteBuffer.wrap(file).order(ByteOrder.LITTLE_ENDIAN).getInt());
    }

    /** Some file systems flush a file that was cut to nothing before it was written again; this never cuts to nothing. */
    private Path rewrite(String name, byte[] bytes) throws IOException {
        Path path = folder.resolve(name);
        try (RandomAccessFile file = new RandomAccessFile(path.toFile(), "rw")) {
            file.write(bytes);
            file.setLength(bytes.length);
        }
        return path;
    }

    private static <T> T any(List<T> list, Random random) {
        return list.get(random.nextInt(list.size()));
    }

    private static void open(Path path, boolean mapAll) {
        try (WeightsFile file = WeightsFile.open(path)) {
            for (TensorInfo tensor : mapAll ? file.tensors() : List.<TensorInfo>of()) {
                try (TensorData data = file.map(tensor.name())) {
                    long bytes = data.chunks().stream().mapToLong(ByteBuffer::remaining).sum();
                    assertThat(bytes).isEqualTo(tensor.bytes());
                    for (ByteBuffer chunk : data.chunks()) {
                        chunk.get(0);
                        chunk.get(chunk.limit() - 1);
                    }
                } catch (WeightsException e) {
                    checkMessage(path, e);
                }
            }
        } catch (WeightsException e) {
            checkMessage(path, e);
        }
    }

    private static void checkMessage(Path path, WeightsException e) {
        assertThat(e.file()).isEqualTo(path);
        assertThat(e.kind()).isIn(WeightsException.Kind.CORRUPT, WeightsException.Kind.UNSUPPORTED);
        assertThat(e.getMessage()).startsWith(path + ": ").doesNotContain("\n", "\r", "\u001b").hasSizeLessThan(1000);
    }

    private void checkWithinMeans(int number, byte[] bytes, Runnable reader) {
        long before = threads.getCurrentThreadAllocatedBytes();
        try {
            reader.run();
        } catch (RuntimeException | Error e) {
            throw new AssertionError("case " + number + " of seed " + SEED + ": " + keep(bytes), e);
        }
        long allocated = threads.getCurrentThreadAllocatedBytes() - before;
        // The first cases also load classes.
        if (number > 100 && allocated > ALLOCATED_ANYWAY + ALLOCATED_PER_BYTE * bytes.length) {
            throw new AssertionError("case " + number + " of seed " + SEED + ": " + allocated + " bytes allocated for a file of "
                    + bytes.length + ": " + keep(bytes));
        }
    }

    /** Keeps a case that failed, to look at. */
    private static Path keep(byte[] bytes) {
        try {
            return Files.write(Files.createTempFile("kiln-fuzz", ".bin"), bytes);
        } catch (IOException e) {
            throw new AssertionError(e);
        }
    }
}
