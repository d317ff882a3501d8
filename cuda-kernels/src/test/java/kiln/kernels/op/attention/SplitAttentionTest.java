package kiln.kernels.op.attention;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.List;
import java.util.Random;
import kiln.kernels.DataType;
import kiln.kernels.Kernel;
import kiln.kernels.op.Arithmetic;
import org.junit.jupiter.api.Test;

class SplitAttentionTest {
    @Test
    void slicesCoverEveryQueryOfEveryHeadOnceAndFitIntoTheWorkMemory() {
        long seed = System.nanoTime();
        Random random = new Random(seed);
        for (int i = 0; i < 300; i++) {
            int length = 1 + random.nextInt(90);
            AttentionShape shape = AttentionShape.packed(1 + random.nextInt(3), 1 + random.nextInt(9), 8, length);
            for (SplitAttention.Kind kind : SplitAttention.Kind.values()) {
                long least = SplitAttention.leastWorkBytes(kind, shape);
                long workBytes = least + (long) (random.nextDouble() * SplitAttention.mostWorkBytes(shape));
                int[] covered = new int[shape.batch() * shape.heads() * length];
                for (AttentionSlice slice : SplitAttention.slices(kind, shape, workBytes)) {
                    assertThat((long) slice.rows() * length * Float.BYTES).as("seed " + seed).isLessThanOrEqualTo(workBytes);
                    for (int row = 0; row < slice.rows(); row++) {
                        covered[(slice.firstHead() + row / slice.queries()) * length + slice.firstQuery() + row % slice.queries()]++;
                    }
                }
                assertThat(covered).as("seed " + seed + ", " + kind + " of " + shape).containsOnly(1);
            }
        }
    }

    @Test
    void enoughMemoryMakesOneSlice() {
        AttentionShape shape = AttentionShape.packed(2, 8, 40, 4096);
        assertThat(SplitAttention.mostWorkBytes(shape)).isEqualTo(1L << 30);
        for (SplitAttention.Kind kind : SplitAttention.Kind.values()) {
            assertThat(SplitAttention.slices(kind, shape, 1L << 30)).containsExactly(new AttentionSlice(0, 16, 0, 4096));
            assertThat(SplitAttention.calls(kind, DataType.F16, 86, 40, false, shape, 1, 1 << 8, 2 << 8, 3 << 8, 4 << 8, 5 << 8, 1L << 30)).hasSize(3);
        }
    }

    @Test
    void tensorCoresAreUsedWhereCardAndSizesAllow() {
        assertThat(scores(DataType.F16, 86, 40, 64)).isEqualTo(new AttentionScores(DataType.F16, Arithmetic.MMA16, true));
        assertThat(scores(DataType.F16, 75, 40, 64)).isEqualTo(new AttentionScores(DataType.F16, Arithmetic.MMA8, true));
        assertThat(scores(DataType.F16, 86, 40, 76)).isEqualTo(new AttentionScores(DataType.F16, Arithmetic.FMA, true));
        assertThat(scores(DataType.F16, 86, 40, 77)).isEqualTo(new AttentionScores(DataType.F16, Arithmetic.FMA, false));
        assertThat(scores(DataType.F32, 86, 40, 64)).isEqualTo(new AttentionScores(DataType.F32, Arithmetic.FMA, true));
    }

    private static Kernel scores(DataType type, int capability, int headSize, int length) {
        AttentionShape shape = AttentionShape.packed(1, 2, headSize, length);
        long workBytes = SplitAttention.mostWorkBytes(shape);
        return SplitAttention.calls(
                        SplitAttention.Kind.WHOLE, type, capability, headSize, false, shape, 1, 1 << 8, 2 << 8, 3 << 8, 4 << 8, 5 << 8, workBytes)
                .get(0)
                .kernel();
    }

    @Test
    void moreScoresThanAnIndexCanCountAreNeverInOneSlice() {
        AttentionShape shape = AttentionShape.packed(2, 8, 40, 16384);
        List<AttentionSlice> slices = SplitAttention.slices(SplitAttention.Kind.WHOLE, shape, SplitAttention.mostWorkBytes(shape));
        assertThat(slices).hasSize(2).allSatisfy(slice -> assertThat(slice.heads()).isEqualTo(8));
    }

    @Test
    void tooLittleMemoryIsRefusedWithWhatIsNeeded() {
        AttentionShape shape = AttentionShape.packed(1, 8, 40, 64);
        assertThatThrownBy(() -> SplitAttention.slices(SplitAttention.Kind.HEADS, shape, 1000))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("1000 bytes of work memory")
                .hasMessageContaining("16384");
    }
}
