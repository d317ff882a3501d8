package kiln.runtime.exec.cuda.residence;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.FloatBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.function.Consumer;
import java.util.stream.Collectors;
import kiln.kernels.DataType;
import kiln.kernels.op.product.Doubling;
import kiln.kernels.op.product.QuantizedRows;
import kiln.runtime.exec.WeightSource;
import kiln.runtime.exec.cuda.program.DeviceWeight;
import kiln.runtime.exec.cuda.program.DeviceWeight.Layout;
import kiln.runtime.family.ModelFiles;
import kiln.runtime.graph.Weight;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Whether 16-bit parameters that are not converted arrive as those that were widened, brought into order and narrowed. */
class WeightEncoderTest {
    private static final long SEED = 5;

    private enum Numbers {
        ALL,
        NO_NAN,
        FINITE
    }

    @TempDir
    Path folder;

    private final Random random = new Random(SEED);
    private final List<String> header = new ArrayList<>();
    private final ByteArrayOutputStream data = new ByteArrayOutputStream();

    @Test
    void plainBlocksOfAnyShapeAreTheSame() throws IOException {
        check(Layout.PLAIN, halves(1), halves(77), halves(3, 5), halves(7, 9, 1, 1));
        check(Layout.PLAIN, halves(331, 613));
    }

    @Test
    void stackedBlocksAreTheSame() throws IOException {
        Weight packed = stacked(halves(5, 11), halves(5, 11), halves(3, 11));
        check(Layout.PLAIN, packed);
        check(Layout.GEGLU, stacked(halves(6, 13), halves(4, 13)));
        check(Layout.CONVOLUTION, stacked(halves(3, 5, 3, 3), halves(2, 5, 3, 3)));
    }

    @Test
    void convolutionsAreTheSame() throws IOException {
        check(Layout.CONVOLUTION, halves(1, 1, 3, 3), halves(5, 7, 3, 3), halves(3, 13, 1, 1), halves(4, 3, 3, 3));
        // Rows longer than what one thread does at a time, and several such pieces of many rows.
        check(Layout.CONVOLUTION, halves(3, 7301, 3, 3), halves(301, 97, 3, 3));
    }

    @Test
    void doublingsAreSumsMadeIn32BitsAndRoundedOnce() throws IOException {
        Weight halves = tensor("F16", Short.BYTES, Numbers.FINITE, 5, 7, 3, 3);
        Weight singles = tensor("F32", Float.BYTES, Numbers.FINITE, 4, 3, 3, 3);
        Weight packed = stacked(tensor("F16", Short.BYTES, Numbers.FINITE, 3, 5, 3, 3), tensor("F16", Short.BYTES, Numbers.FINITE, 2, 5, 3, 3));
        try (ModelFiles file = file()) {
            for (Weight weight : List.of(halves, packed)) {
                for (DataType type : List.of(DataType.F16, DataType.F32, DataType.I8)) {
                    assertSame(file, new DeviceWeight(weight, Layout.DOUBLING, type), false);
                }
                assertSums(file, weight);
            }
            assertSums(file, singles);
        }
    }

    private static void assertSums(ModelFiles file, Weight weight) {
        FloatBuffer read = FloatBuffer.allocate((int) weight.elements());
        int in = weight.shape().get(1);
        weight.names().forEach(name -> {
            FloatBuffer part = read.slice().limit(WeightEncoder.elements(file, name));
            file.read(name, part);
            read.position(read.position() + part.limit());
        });
        float[] sums = Doubling.packWeights(read.array(), weight.rows(), in);
        DeviceWeight wide = new DeviceWeight(weight, Layout.DOUBLING, DataType.F32);
        assertThat(wide.bytes()).isEqualTo(weight.elements() / 9 * 16 * 4);
        assertThat(bytes(write(file, wide, (int) wide.bytes()))).isEqualTo(DataType.F32.encode(sums));
        DeviceWeight half = new DeviceWeight(weight, Layout.DOUBLING, DataType.F16);
        assertThat(bytes(write(file, half, (int) half.bytes()))).isEqualTo(DataType.F16.encode(sums));
        DeviceWeight eight = new DeviceWeight(weight, Layout.DOUBLING, DataType.I8);
        assertThat(eight.bytes()).isEqualTo(eight.scalesOffset() + 4L * 4 * weight.rows());
        QuantizedRows rows = QuantizedRows.of(sums, 4 * in);
        ByteBuffer found = write(file, eight, (int) eight.bytes());
        byte[] values = new byte[rows.values().length];
        found.get(0, values);
        assertThat(values).isEqualTo(rows.values());
        for (int i = 0; i < rows.scales().length; i++) {
            assertThat(found.getFloat((int) eight.scalesOffset() + 4 * i)).isEqualTo(rows.scales()[i]);
        }
    }

    @Test
    void interleavedBlocksAreTheSame() throws IOException {
        check(Layout.GEGLU, halves(2, 1), halves(14, 5), halves(1030, 129), halves(26));
    }

    @Test
    void notANumberStaysSo() throws IOException {
        Weight weight = tensor("F16", Short.BYTES, Numbers.ALL, 64, 33, 3, 3);
        try (ModelFiles file = file()) {
            DeviceWeight block = new DeviceWeight(weight, Layout.CONVOLUTION, DataType.F16);
            ByteBuffer converted = write(new Source(file, true, false), block, (int) block.bytes());
            ByteBuffer copied = write(new Source(file, false, true), block, (int) block.bytes());
            for (int i = 0; i < block.bytes(); i += Short.BYTES) {
                boolean nan = (converted.getShort(i) & 0x7fff) > 0x7c00;
                assertThat((copied.getShort(i) & 0x7fff) > 0x7c00).as("element %d, seed %d", i / 2, SEED).isEqualTo(nan);
            }
        }
    }

    @Test
    void whatIsStoredInAnotherFormatIsConvertedAsBefore() throws IOException {
        Weight single = tensor("F32", Float.BYTES, Numbers.NO_NAN, 9, 7);
        Weight brain = tensor("BF16", Short.BYTES, Numbers.NO_NAN, 9, 7);
        Weight half = halves(9, 7);
        Weight finite = tensor("F16", Short.BYTES, Numbers.FINITE, 9, 7);
        Weight mixed = stacked(half, single);
        try (ModelFiles file = file()) {
            for (Weight weight : List.of(single, brain, mixed)) {
                assertSame(file, new DeviceWeight(weight, Layout.PLAIN, DataType.F16), false);
            }
            assertSame(file, new DeviceWeight(half, Layout.PLAIN, DataType.F32), false);
            assertSame(file, new DeviceWeight(finite, Layout.PLAIN, DataType.I8), false);
            assertThat(file.hasHalves(half.names().get(0))).isTrue();
            assertThat(file.hasHalves("none")).isFalse();
            assertThat(StoredHalves.of(file, DeviceWeight.frequencies(6))).isNull();
            assertThat(StoredHalves.of(file, new DeviceWeight(half, Layout.DOUBLING, DataType.F16))).isNull();
            String name = single.names().get(0);
            assertThatThrownBy(() -> file.lendHalves(name, halves -> {})).isInstanceOf(UnsupportedOperationException.class).hasMessageContaining(name);
        }
    }

    @Test
    void aFailureOfOneOfSeveralThreadsIsTheCallers() throws IOException {
        Weight weight = halves(200, 97, 3, 3);
        try (ModelFiles file = file()) {
            WeightSource broken = new Source(file, false, true) {
                @Override
                public void lendHalves(String tensor, Consumer<ByteBuffer> reader) {
                    super.lendHalves(tensor, halves -> reader.accept(halves.slice(0, halves.remaining() / 2)));
                }
            };
            DeviceWeight block = new DeviceWeight(weight, Layout.CONVOLUTION, DataType.F16);
            assertThatThrownBy(() -> write(broken, block, (int) block.bytes())).isInstanceOf(IndexOutOfBoundsException.class);
        }
    }

    private void check(Layout layout, Weight... weights) throws IOException {
        try (ModelFiles file = file()) {
            for (Weight weight : weights) {
                assertSame(file, new DeviceWeight(weight, layout, DataType.F16), true);
            }
        }
    }

    /** @param copied whether no element may become a float on the way */
    private void assertSame(ModelFiles file, DeviceWeight weight, boolean copied) {
        int bytes = (int) weight.bytes();
        byte[] expected = bytes(write(new Source(file, true, false), weight, bytes));
        for (int piece : new int[] {bytes, 4 * (1 + random.nextInt(1 + bytes / 4)), 4 * (1 + random.nextInt(1 + bytes / 64))}) {
            ByteBuffer found = write(new Source(file, false, copied), weight, piece);
            assertThat(bytes(found)).as("%s of %s in pieces of %d, seed %d", weight.layout(), weight.weight().shape(), piece, SEED).isEqualTo(expected);
        }
    }

    private static ByteBuffer write(WeightSource source, DeviceWeight weight, int piece) {
        WeightEncoder encoder = new WeightEncoder(source, weight);
        ByteBuffer all = ByteBuffer.allocateDirect((int) weight.bytes()).order(ByteOrder.LITTLE_ENDIAN);
        // Not at the buffer's beginning, as parts of pinned memory are.
        ByteBuffer target = ByteBuffer.allocateDirect(256 + piece).order(ByteOrder.LITTLE_ENDIAN);
        while (all.hasRemaining()) {
            int length = Math.min(piece, all.remaining());
            target.clear().position(256).limit(256 + length);
            encoder.write(all.position(), target);
            assertThat(target.hasRemaining()).isFalse();
            all.put(target.flip().position(256));
        }
        return all.flip();
    }

    private static byte[] bytes(ByteBuffer buffer) {
        byte[] bytes = new byte[buffer.remaining()];
        buffer.get(0, bytes);
        return bytes;
    }

    private static Weight stacked(Weight... parts) {
        List<Integer> shape = new ArrayList<>(parts[0].shape());
        shape.set(0, List.of(parts).stream().mapToInt(Weight::rows).sum());
        return new Weight(List.of(parts).stream().flatMap(part -> part.names().stream()).toList(), shape);
    }

    private Weight halves(Integer... shape) {
        return tensor("F16", Short.BYTES, Numbers.NO_NAN, shape);
    }

    /** Random bits: of halves one in 16 is subnormal; infinities, zeros and the largest number are among them. */
    private Weight tensor(String dtype, int elementBytes, Numbers numbers, Integer... shape) {
        String name = "t".repeat(1 + random.nextInt(8)) + header.size();
        Weight weight = new Weight(List.of(name), List.of(shape));
        int begin = data.size();
        short[] special = {0x7c00, (short) 0xfc00, 0, (short) 0x8000, 1, (short) 0x83ff, 0x7bff};
        for (int i = 0; i < weight.elements() * elementBytes / Short.BYTES; i++) {
            int bits = random.nextInt(3) == 0 ? special[random.nextInt(special.length)] : random.nextInt(1 << Short.SIZE);
            if (random.nextInt(8) == 0) {
                bits &= 0x83ff;
            }
            int exponent = dtype.equals("F16") ? 0x7c00 : 0x7f80;
            boolean finite = (bits & exponent) != exponent;
            boolean infinite = (bits & 0x7fff) == exponent;
            if (!finite && (numbers == Numbers.FINITE || numbers == Numbers.NO_NAN && !infinite)) {
                bits &= 0xbfff;
            }
            data.write(bits);
            data.write(bits >> 8);
        }
        header.add("\"" + name + "\":{\"dtype\":\"" + dtype + "\",\"shape\":" + weight.shape() + ",\"data_offsets\":[" + begin + "," + data.size() + "]}");
        return weight;
    }

    /** A safetensors file of all tensors so far; its elements lie at an odd address. */
    private ModelFiles file() throws IOException {
        String json = header.stream().collect(Collectors.joining(",", "{", "}"));
        byte[] odd = (json + " ".repeat(1 - json.length() % 2)).getBytes(StandardCharsets.UTF_8);
        ByteBuffer bytes = ByteBuffer.allocate(Long.BYTES + odd.length + data.size()).order(ByteOrder.LITTLE_ENDIAN);
        bytes.putLong(odd.length).put(odd).put(data.toByteArray());
        return ModelFiles.open(Files.write(folder.resolve("weights" + header.size() + ".safetensors"), bytes.array()));
    }

    /** A file of which only one of the two ways to read may be used. */
    private static class Source implements WeightSource {
        private final ModelFiles file;
        private final boolean converting;
        private final boolean copying;

        Source(ModelFiles file, boolean converting, boolean copying) {
            this.file = file;
            this.converting = converting;
            this.copying = copying;
        }

        @Override
        public List<Integer> shape(String tensor) {
            return file.shape(tensor);
        }

        @Override
        public void read(String tensor, FloatBuffer target) {
            assertThat(copying).as("nothing is converted").isFalse();
            file.read(tensor, target);
        }

        @Override
        public void readRange(String tensor, long begin, FloatBuffer target) {
            throw new AssertionError("only whole tensors are read");
        }

        @Override
        public boolean hasHalves(String tensor) {
            return !converting && file.hasHalves(tensor);
        }

        @Override
        public void lendHalves(String tensor, Consumer<ByteBuffer> reader) {
            file.lendHalves(tensor, reader);
        }
    }
}
