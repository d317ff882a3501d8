package kiln.runtime.noise;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;
import java.util.zip.CRC32;
import kiln.runtime.base.KilnException;
import org.assertj.core.data.Offset;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class NoiseTest {
    /** Torch's own vector paths (AVX2, AVX-512, none) differ by one unit in the last place of numbers up to 5. */
    private static final Offset<Float> TORCH = Offset.offset(5e-7f);

    /** One rounding to float of the same double arithmetic. */
    private static final Offset<Float> NUMPY = Offset.offset(2.5e-7f);

    private final JsonNode golden = read();

    @Test
    void theWordsAreTorchs() {
        for (JsonNode words : golden.get("words")) {
            MersenneTwister twister = new MersenneTwister((int) words.get("seed").asLong());
            int count = words.get("count").asInt();
            ByteBuffer bytes = ByteBuffer.allocate(4 * count).order(ByteOrder.LITTLE_ENDIAN);
            for (int i = 0; i < count; i++) {
                bytes.putInt(twister.nextWord());
            }
            CRC32 crc = new CRC32();
            crc.update(bytes.array());
            assertThat(crc.getValue()).as("seed %s", words.get("seed")).isEqualTo(words.get("crc32").asLong());
        }
    }

    @Test
    void cpuNormalsAreTorchsForEverySize() {
        for (JsonNode c : golden.get("cases")) {
            check(NoiseSource.of(NoiseKind.CPU, CardProfile.USUAL, c.get("seed").asLong()), c, "draw", "next", TORCH);
        }
    }

    @Test
    void nvNormalsAreNumpysForEverySize() {
        for (JsonNode c : golden.get("cases")) {
            check(NoiseSource.of(NoiseKind.NV, CardProfile.USUAL, c.get("seed").asLong()), c, "nv", "nvNext", NUMPY);
        }
    }

    @Test
    void theSecondOfAPairIsKeptAcrossALongDraw() {
        JsonNode mixed = golden.get("mixed");
        NoiseSource source = new TorchCpuNoise(mixed.get("seed").asLong());
        for (JsonNode draw : mixed.get("draws")) {
            float[] values = new float[draw.size()];
            source.fill(values);
            assertClose(values, 0, draw, TORCH, "mixed");
        }
    }

    @ParameterizedTest
    @CsvSource({
        "0, -.924662 -.425344 -2.643846 .145184 -.120867 -.579726 -.622851 -.328387, .180826 -.552263 .923813 -.734970",
        "1, -.296278 2.676448 -.140846 -.844095 .290538 -.283831 -1.453456 2.373681, -.633984 -.643131 -.642014 -1.447101",
        "42, .194019 2.161374 -.172051 .849060 -1.924399 .652985 -.649441 -.817525, .139137 -.108216 -.717422 .756649",
        "4294967301, -2.842747 1.340492 .272231 1.455063 -.735296 -.502260 .523811 .178811,"
    })
    void nvGivesTheNumbersMeasuredInA1111(long seed, String first, String second) {
        NoiseSource source = new PhiloxNoise(seed);
        for (String expected : second == null ? new String[] {first} : new String[] {first, second}) {
            float[] values = new float[expected.split(" ").length];
            source.fill(values);
            for (int i = 0; i < values.length; i++) {
                // Printed with six decimals.
                assertThat(values[i]).isCloseTo(Float.parseFloat(expected.split(" ")[i]), Offset.offset(6e-7f));
            }
        }
    }

    @Test
    void philoxWordsAreThePublishedOnes() {
        PhiloxNoise philox = new PhiloxNoise(0);
        assertThat(philox.firstWords(0, 0)).isEqualTo(0x6627E8D5E169C58DL);
        assertThat(philox.firstWords(0, 1)).isEqualTo(0x844515E1F08D6EAAL);
    }

    @ParameterizedTest
    @CsvSource({
        "0, -1.1258 -1.1524 -.2506 -.4339 .8487 .6920 -.3160 -2.1152 .3223 -1.2633 .3500 .3081 .1198 1.2377 1.1168 -.2473",
        "42, 1.9269 1.4873 .9007 -2.1055 .6784 -1.2345 -.0431 -1.6047 -.7521 1.6487 -.3925 -1.4036 -.7279 -.5594 -.7688 .7624"
    })
    void cpuGivesTheKnownFirstNumbers(long seed, String expected) {
        float[] values = new float[16];
        new TorchCpuNoise(seed).fill(values);
        for (int i = 0; i < 16; i++) {
            // Printed with four decimals.
            assertThat(values[i]).isCloseTo(Float.parseFloat(expected.split(" ")[i]), Offset.offset(6e-5f));
        }
    }

    @Test
    void imagesOfABatchGetWhatTheyWouldGetAlone() {
        for (NoiseKind kind : NoiseKind.values()) {
            ImageNoise batch = noise(kind, 0, 5, 6, 99);
            float[] together = new float[3 * 4 * 5 * 7];
            ImageNoise single = noise(kind, 0, 6);
            float[] alone = new float[4 * 5 * 7];
            for (int draw = 0; draw < 3; draw++) {
                batch.next(together);
                single.next(alone);
                assertThat(Arrays.copyOfRange(together, alone.length, 2 * alone.length)).containsExactly(alone);
            }
        }
    }

    @Test
    void theSeedDeltaActsAfterTheFirstDraw() {
        ImageNoise noise = noise(NoiseKind.CPU, 31337, 7);
        float[] values = new float[4 * 5 * 7];
        float[] expected = new float[4 * 5 * 7];
        noise.next(values);
        new TorchCpuNoise(7).fill(expected);
        assertThat(values).containsExactly(expected);
        NoiseSource later = new TorchCpuNoise(7 + 31337);
        for (int draw = 0; draw < 2; draw++) {
            noise.next(values);
            later.fill(expected);
            assertThat(values).containsExactly(expected);
        }
    }

    @Test
    void aCardsThreadsGetOneNumberEachAndThenTheirNext() {
        // One multiprocessor of 256 threads: 256 numbers at once, and four from each call of a thread.
        CardProfile small = CardProfile.find("1x256");
        int count = 4 * 256 + 100;
        float[] values = new float[count];
        NoiseSource source = NoiseSource.of(NoiseKind.GPU, small, 42);
        source.fill(values);
        PhiloxNoise philox = new PhiloxNoise(42);
        float[] normals = new float[4];
        for (int i = 0; i < count; i++) {
            int call = i / 1024;
            philox.normals(call, i % 256, 4, normals);
            assertThat(values[i]).as("number %d", i).isEqualTo(normals[i % 1024 / 256]);
        }
        source.fill(values);
        philox.normals(2, 7, 4, normals);
        assertThat(values[256 + 7]).as("the next draw begins with the next call").isEqualTo(normals[1]);
    }

    @Test
    void aCardWithAThreadForEachNumberIsLikeNv() {
        float[] card = new float[16384];
        float[] nv = new float[16384];
        NoiseSource gpu = NoiseSource.of(NoiseKind.GPU, CardProfile.find("NVIDIA GeForce RTX 3060"), 7);
        NoiseSource philox = NoiseSource.of(NoiseKind.NV, CardProfile.USUAL, 7);
        for (int draw = 0; draw < 2; draw++) {
            gpu.fill(card);
            philox.fill(nv);
            assertThat(card).containsExactly(nv);
        }
        // 512x512 needs 16384 threads; a GTX 1650 has 14336.
        NoiseSource.of(NoiseKind.GPU, CardProfile.find("gtx1650"), 7).fill(card);
        NoiseSource.of(NoiseKind.NV, CardProfile.USUAL, 7).fill(nv);
        assertThat(Arrays.copyOf(card, 14336)).containsExactly(Arrays.copyOf(nv, 14336));
        assertThat(card[14336]).isNotEqualTo(nv[14336]);
    }

    @Test
    void cardsAreFoundByNameOrNumbers() {
        assertThat(CardProfile.known()).extracting(CardProfile::name).doesNotHaveDuplicates().contains("RTX 3060", "A100", "Tesla T4");
        for (CardProfile card : CardProfile.known()) {
            assertThat(CardProfile.find(card.name().toUpperCase())).isEqualTo(card);
        }
        assertThat(CardProfile.find(" 28 x 1536 ")).extracting(CardProfile::multiprocessors, CardProfile::threads).containsExactly(28, 1536);
        for (String wrong : new String[] {"", "RTX 9999", "0x1536", "x\n".repeat(1000)}) {
            assertThatThrownBy(() -> CardProfile.find(wrong)).isInstanceOf(KilnException.class).message().hasSizeLessThan(200);
        }
    }

    @Test
    void variationSeedsKeepOneSeedForAllPictures() {
        NoiseOptions plain = NoiseOptions.of(NoiseKind.CPU);
        assertThat(plain.seeds(10, 4, 3)).containsExactly(14, 15, 16);
        NoiseOptions varied = new NoiseOptions(NoiseKind.CPU, CardProfile.USUAL, 0, 99, 0.1, 0, 0);
        assertThat(varied.seeds(10, 4, 3)).containsExactly(10, 10, 10);
        assertThat(varied.variationSeeds(4, 3)).containsExactly(103, 104, 105);
    }

    @Test
    void aVariationOfTheSameSeedOrOfOneRowIsNotBroken() {
        NoiseOptions same = new NoiseOptions(NoiseKind.CPU, CardProfile.USUAL, 0, 7, 0.5, 0, 0);
        for (LatentShape shape : new LatentShape[] {new LatentShape(4, 8, 8), new LatentShape(4, 1, 9)}) {
            for (long other : new long[] {7, 8}) {
                float[] values = new float[shape.size()];
                new ImageNoise(same, new long[] {7}, new long[] {other}, shape).next(values);
                for (float value : values) {
                    assertThat(value).isFinite();
                }
            }
        }
    }

    @Test
    void brownianNoiseOfPartsAddsUpToThatOfTheWhole() {
        BrownianNoise noise = new BrownianNoise(NoiseOptions.DEFAULTS, new long[] {3, 4}, 32, 0.03f, 14.6f);
        float[] whole = new float[64];
        float[] upper = new float[64];
        float[] lower = new float[64];
        noise.fill(whole, 9, 1);
        noise.fill(upper, 9, 4);
        noise.fill(lower, 4, 1);
        for (int i = 0; i < 64; i++) {
            double sum = upper[i] * Math.sqrt(5) + lower[i] * Math.sqrt(3);
            // Float32 sums of some fifty parts up to 10.
            assertThat(whole[i] * Math.sqrt(8)).isCloseTo(sum, Offset.offset(1e-5));
        }
        noise.fill(whole, 2, 2);
        assertThat(whole).containsOnly(0f);
    }

    @Test
    void refusesABatchThatDoesNotDivide() {
        assertThatThrownBy(() -> noise(NoiseKind.CPU, 0)).isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> noise(NoiseKind.CPU, 0, 1, 2).next(new float[3]))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("3 numbers");
    }

    private static ImageNoise noise(NoiseKind kind, long delta, long... seeds) {
        NoiseOptions options = new NoiseOptions(kind, CardProfile.USUAL, delta, 0, 0, 0, 0);
        return new ImageNoise(options, seeds, new long[0], new LatentShape(4, 5, 7));
    }

    private static void check(NoiseSource source, JsonNode c, String first, String second, Offset<Float> tolerance) {
        float[] values = new float[c.get("size").asInt()];
        for (String draw : new String[] {first, second}) {
            source.fill(values);
            String what = draw + " of seed " + c.get("seed") + ", size " + values.length;
            assertClose(values, 0, c.get(draw).get("first"), tolerance, what);
            JsonNode last = c.get(draw).get("last");
            assertClose(values, values.length - last.size(), last, tolerance, what);
        }
    }

    private static void assertClose(float[] values, int offset, JsonNode expected, Offset<Float> tolerance, String what) {
        for (int i = 0; i < expected.size(); i++) {
            assertThat(values[offset + i]).as("%s, element %d", what, offset + i).isCloseTo((float) expected.get(i).asDouble(), tolerance);
        }
    }

    private static JsonNode read() {
        try {
            return new ObjectMapper().readTree(NoiseTest.class.getResourceAsStream("/noise/torch.json"));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
