package kiln.kernels.op.attention;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.List;
import kiln.kernels.DataType;
import kiln.kernels.op.Arithmetic;
import org.junit.jupiter.api.Test;

/** Which variants of attention a card is given. */
class AttentionChoiceTest {
    @Test
    void attentionTakesTensorCoresWhereTheCardHasThem() {
        assertThat(attention(DataType.F16, 61, 40, 4096)).isEqualTo(new Attention(DataType.F16, 40, false, true));
        assertThat(attention(DataType.F32, 90, 40, 4096)).isEqualTo(new Attention(DataType.F32, 40, false, true));
        assertThat(attention(DataType.F16, 75, 40, 4096)).isEqualTo(new TensorAttention(Arithmetic.MMA8, 40, false, 128));
        assertThat(attention(DataType.F16, 86, 160, 4096)).isEqualTo(new TensorAttention(Arithmetic.MMA16, 160, false, 64));
        assertThat(attention(DataType.F16, 90, 80, 1024)).isEqualTo(new TensorAttention(Arithmetic.MMA16, 80, false, 64));
        assertThat(attention(DataType.F16, 90, 512, 4096)).isEqualTo(new WideTensorAttention(Arithmetic.MMA16, 512, false));
    }

    @Test
    void everyHeadUpTo512HasAnAttention() {
        for (int capability : new int[] {50, 75, 90}) {
            for (DataType type : List.of(DataType.F16, DataType.F32)) {
                for (int headSize = 1; headSize <= 512; headSize++) {
                    assertThat(attention(type, capability, headSize, 77).headSize()).isEqualTo(headSize);
                }
            }
        }
    }

    @Test
    void attentionOfOddStridesTakesTheVariantForAny() {
        AttentionShape shape = new AttentionShape(1, 1, 64, 64, 40, 41, 41, 40);
        assertThat(AttentionKernel.choose(DataType.F16, 86, 40, false, shape)).isEqualTo(new Attention(DataType.F16, 40, false, false));
        assertThatThrownBy(() -> new TensorAttention(Arithmetic.MMA16, 40, false, 64).call(0, 0, 0, 0, shape, 1))
                .hasMessageContaining("strides 40, 41, 41 and 40");
    }

    private static AttentionKernel attention(DataType type, int capability, int headSize, int length) {
        return AttentionKernel.choose(type, capability, headSize, false, AttentionShape.packed(2, 8, headSize, length));
    }

    @Test
    void headsOfMoreThan512ValuesAreRefused() {
        assertThatThrownBy(() -> new Attention(DataType.F16, 516, false, true)).hasMessageContaining("head size 516");
    }
}
