package kiln.kernels.probe;

import static java.lang.Float.intBitsToFloat;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.math.BigDecimal;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import kiln.kernels.HalfFloats;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Whether operands are where arithmetic goes wrong, if it does. */
class OperandsTest {
    private static final long SEED = 3;

    private static boolean isSubnormal(float value) {
        return value != 0 && Math.abs(value) < Float.MIN_NORMAL;
    }

    /** How far the exact result is from the rounded one, in the latter's last digit. */
    private static double lost(BigDecimal exact, float rounded) {
        return exact.subtract(new BigDecimal(rounded)).abs().divide(new BigDecimal(Math.ulp(rounded))).doubleValue();
    }

    @ParameterizedTest
    @ValueSource(strings = {"add", "sub", "mul", "div"})
    void pairsLeadToTiesSubnormalNumbersOverflowAndNan(String operation) {
        int ties = 0;
        int inexact = 0;
        int subnormal = 0;
        int overflows = 0;
        int nan = 0;
        for (int[] words : Operands.floatPairs().make(SEED)) {
            float a = intBitsToFloat(words[0]);
            float b = intBitsToFloat(words[1]);
            double exact = switch (operation) {
                case "add" -> (double) a + b;
                case "sub" -> (double) a - b;
                case "mul" -> (double) a * b;
                default -> (double) a / b;
            };
            float rounded = (float) exact;
            nan += Float.isNaN(rounded) ? 1 : 0;
            subnormal += isSubnormal(rounded) ? 1 : 0;
            overflows += Float.isInfinite(rounded) && Float.isFinite(a) && Float.isFinite(b) ? 1 : 0;
            if (Float.isFinite(rounded)) {
                double lost = Math.abs(exact - rounded) / Math.ulp(rounded);
                inexact += lost > 0 ? 1 : 0;
                ties += lost == 0.5 ? 1 : 0;
            }
        }
        assertThat(nan).isGreaterThan(20);
        assertThat(subnormal).isGreaterThan(7);
        assertThat(inexact).isGreaterThan(50);
        // A quotient is never a tie; sums hardly overflow.
        assertThat(ties).isGreaterThanOrEqualTo(operation.equals("div") ? 0 : 8);
        assertThat(overflows).isGreaterThanOrEqualTo(operation.equals("mul") || operation.equals("div") ? 10 : 0);
    }

    @Test
    void triplesTellFusedFromSeparateRoundings() {
        int fused = 0;
        int ties = 0;
        int subnormal = 0;
        for (int[] words : Operands.floatTriples().make(SEED)) {
            float a = intBitsToFloat(words[0]);
            float b = intBitsToFloat(words[1]);
            float c = intBitsToFloat(words[2]);
            float result = Math.fma(a, b, c);
            if (Float.isFinite(result)) {
                fused += result != a * b + c ? 1 : 0;
                subnormal += isSubnormal(result) ? 1 : 0;
                ties += lost(new BigDecimal(a).multiply(new BigDecimal(b)).add(new BigDecimal(c)), result) == 0.5 ? 1 : 0;
            }
        }
        assertThat(fused).isGreaterThan(15);
        assertThat(ties).isGreaterThan(1);
        assertThat(subnormal).isGreaterThan(7);
    }

    @Test
    void halvesAreTiesSubnormalAndTooLarge() {
        int ties = 0;
        int subnormal = 0;
        int overflows = 0;
        for (int[] words : Operands.halfway(1, 11, -24, 5).make(SEED)) {
            float value = intBitsToFloat(words[0]);
            float half = HalfFloats.toFloat(HalfFloats.toHalf(value));
            double step = Math.abs(half) < 0x1p-14 ? 0x1p-24 : Math.ulp(half) * 0x1p13;
            ties += Float.isFinite(half) && Math.abs((double) half - value) == step / 2 ? 1 : 0;
            subnormal += half != 0 && Math.abs(half) < 0x1p-14 ? 1 : 0;
            overflows += Float.isInfinite(half) && Float.isFinite(value) ? 1 : 0;
        }
        assertThat(ties).isGreaterThan(80);
        assertThat(subnormal).isGreaterThan(30);
        assertThat(overflows).isGreaterThan(20);
    }

    @Test
    void singleFloatsHaveEveryExponent() {
        Stream<int[]> rows = Stream.of(Operands.floats().make(SEED));
        assertThat(rows.map(words -> words[0] >>> 23 & 0xff).distinct()).containsAll(IntStream.range(0, 256).boxed().toList());
    }

    @Test
    void rowsAreWholeWarps() {
        assertThatThrownBy(() -> new Operands(33, (random, row) -> new int[1])).hasMessage("33 rows of operands are not whole warps");
    }
}
