package kiln.kernels.op.product;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.Random;
import org.junit.jupiter.api.Test;

class QuantizedRowsTest {
    @Test
    void theLargestMagnitudeOfARowBecomes127() {
        QuantizedRows rows = QuantizedRows.of(new float[] {12.7f, -6.35f, 0, 1, 127, -127}, 3);
        assertThat(rows.scales()).containsExactly(0.1f, 1);
        assertThat(rows.values()).containsExactly(127, -63, 0, 1, 127, -127);
    }

    @Test
    void halvesGoToEven() {
        assertThat(QuantizedRows.of(new float[] {127, 0.5f, 1.5f, -2.5f, -3.5f}, 5).values()).containsExactly(127, 0, 2, -2, -4);
    }

    @Test
    void rowsWithoutAScaleStayZero() {
        QuantizedRows rows = QuantizedRows.of(new float[] {0, 0, Float.MIN_VALUE, -Float.MIN_VALUE}, 2);
        assertThat(rows.values()).containsOnly(0);
        assertThat(rows.scales()).containsOnly(0);
    }

    @Test
    void everyWeightIsWithinHalfAScale() {
        long seed = 5;
        Random random = new Random(seed);
        int columns = 77;
        float[] weights = new float[9 * columns];
        for (int i = 0; i < weights.length; i++) {
            weights[i] = (float) (random.nextGaussian() * Math.pow(10, i / columns - 4));
        }
        QuantizedRows rows = QuantizedRows.of(weights, columns);
        for (int i = 0; i < weights.length; i++) {
            float scale = rows.scales()[i / columns];
            // A little more, for the roundings of the scale and of the product.
            assertThat(Math.abs(weights[i] - rows.values()[i] * scale))
                    .as("weight %d, seed %d", i, seed)
                    .isLessThanOrEqualTo(scale * 0.500064f);
        }
    }

    @Test
    void whatIsNotFiniteIsRefused() {
        assertThatThrownBy(() -> QuantizedRows.of(new float[] {1, 2, 3, Float.NaN}, 2)).hasMessage("row 1 of the weights holds NaN");
        assertThatThrownBy(() -> QuantizedRows.of(new float[3], 2)).hasMessage("3 weights in rows of 2");
    }
}
