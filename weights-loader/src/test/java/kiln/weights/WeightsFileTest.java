package kiln.weights;

import static kiln.weights.TestFiles.entry;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.FloatBuffer;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.IntStream;
import kiln.weights.WeightsException.Kind;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class WeightsFileTest {
    private static final Path VIEWS = TorchFixturesTest.FIXTURES.resolve("views.pt");

    @TempDir
    Path folder;

    @Test
    void aTensorThatIsNotThereIsNotFound() {
        try (WeightsFile file = WeightsFile.open(VIEWS)) {
            assertThat(file.tensor("none")).isEmpty();
            WeightsException e = catchThrowableOfType(WeightsException.class, () -> file.map("none\n\u001b[31m"));
            assertThat(e.kind()).isEqualTo(Kind.NOT_FOUND);
            assertThat(e).hasMessageContaining("views.pt: there is no tensor \"none??[31m\"");
        }
    }

    @Test
    void closedFilesAndDataSaySo() {
        WeightsFile file = WeightsFile.open(VIEWS);
        TensorData data = file.map("whole");
        file.close();
        file.close();
        assertThat(data.bytes().remaining()).isEqualTo(240);
        assertThat(catchThrowableOfType(WeightsException.class, () -> file.map("whole")).kind()).isEqualTo(Kind.CLOSED);
        assertThat(catchThrowableOfType(WeightsException.class, () -> file.readF32("whole")).kind()).isEqualTo(Kind.CLOSED);
        data.close();
        data.close();
        assertThat(catchThrowableOfType(WeightsException.class, data::bytes).kind()).isEqualTo(Kind.CLOSED);
        assertThat(catchThrowableOfType(WeightsException.class, data::chunks).kind()).isEqualTo(Kind.CLOSED);
    }

    @Test
    void floatsAreWrittenFromThePositionOfTheTargetOn() {
        try (WeightsFile file = WeightsFile.open(VIEWS)) {
            TensorInfo column = file.tensor("column").orElseThrow();
            FloatBuffer target = FloatBuffer.allocate(10).position(3);
            file.readF32(column, target);
            assertThat(target.position()).isEqualTo(7);
            assertThat(target.array()).containsExactly(0, 0, 0, 2 / 7f, 8 / 7f, 14 / 7f, 20 / 7f, 0, 0, 0);
            assertThatThrownBy(() -> file.readF32(column, target)).isInstanceOf(IllegalArgumentException.class)
                    .hasMessageContaining("room for 3");
        }
    }

    @Test
    void complexAndPackedNumbersDoNotConvertButAreHandedOut() {
        byte[] bytes = TestFiles.safetensors("{" + entry("four", DType.F4, "[4]", 0, 2) + "," + entry("six", DType.F6_E2M3, "[4]", 2, 5)
                + "," + entry("complex", DType.C64, "[1]", 5, 13) + "}", 13);
        try (WeightsFile file = WeightsFile.open(TestFiles.write(folder, "packed", bytes))) {
            for (TensorInfo tensor : file.tensors()) {
                try (TensorData data = file.map(tensor.name())) {
                    assertThat((long) data.bytes().remaining()).isEqualTo(tensor.bytes());
                }
                WeightsException e = catchThrowableOfType(WeightsException.class, () -> file.readF32(tensor.name()));
                assertThat(e.kind()).isEqualTo(Kind.UNSUPPORTED);
            }
        }
    }

    @Test
    void aFileThatIsCutShortWhileOpenGivesAnErrorWhereReadingNeedsTheLostPart() throws IOException {
        int elements = 1 << 20;
        byte[] bytes = TestFiles.safetensors("{" + entry("a", DType.F32, "[" + elements + "]", 0, 4L * elements) + "}", 4 * elements);
        Path path = TestFiles.write(folder, "cut", bytes);
        try (WeightsFile file = WeightsFile.open(path); RandomAccessFile writer = new RandomAccessFile(path.toFile(), "rw")) {
            writer.setLength(5000);
            assertThat(catchThrowableOfType(WeightsException.class, () -> file.readF32("a")))
                    .hasMessageContaining("the file has become shorter");
        }
    }

    @Test
    void lentElementsAreThoseOfTheTensor() {
        try (WeightsFile file = WeightsFile.open(VIEWS)) {
            for (TensorInfo tensor : file.tensors()) {
                try (TensorData data = file.map(tensor.name())) {
                    file.lend(tensor.name(), bytes -> assertThat(bytes).as(tensor.name()).isEqualTo(data.bytes()));
                }
            }
            assertThat(file.isInPlace("whole")).isTrue();
            assertThat(file.isInPlace("column")).isFalse();
            assertThat(catchThrowableOfType(WeightsException.class, () -> file.isInPlace("none")).kind()).isEqualTo(Kind.NOT_FOUND);
            assertThat(catchThrowableOfType(WeightsException.class, () -> file.lend("none", bytes -> {})).kind()).isEqualTo(Kind.NOT_FOUND);
        }
    }

    @Test
    void aReadersOwnFailurePassesThrough() {
        try (WeightsFile file = WeightsFile.open(VIEWS)) {
            IllegalStateException failure = new IllegalStateException("enough");
            assertThatThrownBy(() -> file.lend("whole", bytes -> {
                throw failure;
            })).isSameAs(failure);
        }
    }

    @Test
    void aFileThatIsCutShortWhileItIsLentGivesAnError() throws IOException {
        int elements = 1 << 20;
        byte[] bytes = TestFiles.safetensors("{" + entry("a", DType.F16, "[" + elements + "]", 0, 2L * elements) + "}", 2 * elements);
        Path path = TestFiles.write(folder, "lent", bytes);
        byte[] copy = new byte[2 * elements];
        try (WeightsFile file = WeightsFile.open(path); RandomAccessFile writer = new RandomAccessFile(path.toFile(), "rw")) {
            WeightsException e = catchThrowableOfType(WeightsException.class, () -> file.lend("a", lent -> {
                try {
                    writer.setLength(5000);
                } catch (IOException failure) {
                    throw new AssertionError(failure);
                }
                lent.get(copy);
            }));
            assertThat(e.kind()).isEqualTo(Kind.IO);
            assertThat(e).hasMessageContaining("lent: the file was cut short");
        }
    }

    @Test
    void manyThreadsReadOneFile() {
        try (WeightsFile file = WeightsFile.open(VIEWS)) {
            List<TensorInfo> real = file.tensors().stream().filter(t -> t.dtype().convertsToF32()).toList();
            List<float[]> expected = real.stream().map(t -> file.readF32(t.name())).toList();
            IntStream.range(0, 2000).parallel().forEach(i -> {
                int k = i % real.size();
                assertThat(file.readF32(real.get(k).name())).isEqualTo(expected.get(k));
            });
        }
    }
}
