package kiln.kernels;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class HalfFloatsTest {
    @Test
    void everyHalfSurvivesTheWayThereAndBack() {
        for (int bits = 0; bits < 1 << 16; bits++) {
            float value = HalfFloats.toFloat((short) bits);
            if (!Float.isNaN(value)) {
                assertThat(HalfFloats.toHalf(value)).isEqualTo((short) bits);
            } else {
                assertThat(HalfFloats.toHalf(value)).as("quiet").isEqualTo((short) (bits | 0x200));
            }
        }
    }

    @Test
    void theMiddleBetweenTwoHalvesGoesToTheEvenOne() {
        for (int bits = 0; bits < 0x7bff; bits++) {
            float low = HalfFloats.toFloat((short) bits);
            float high = HalfFloats.toFloat((short) (bits + 1));
            float middle = (low + high) / 2;
            assertThat(HalfFloats.toHalf(middle)).isEqualTo((short) (bits % 2 == 0 ? bits : bits + 1));
            assertThat(HalfFloats.toHalf(Math.nextUp(middle))).isEqualTo((short) (bits + 1));
            assertThat(HalfFloats.toHalf(-Math.nextDown(middle))).isEqualTo((short) (bits | 0x8000));
        }
    }

    @Test
    void whatIsTooLargeBecomesInfinite() {
        assertThat(HalfFloats.toFloat(HalfFloats.toHalf(65519.9f))).isEqualTo(65504f);
        assertThat(HalfFloats.toFloat(HalfFloats.toHalf(65520f))).isEqualTo(Float.POSITIVE_INFINITY);
        assertThat(HalfFloats.toFloat(HalfFloats.toHalf(Float.NEGATIVE_INFINITY))).isEqualTo(Float.NEGATIVE_INFINITY);
    }
}
