package kiln.runtime.exec.cuda.residence;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class BlockOrderTest {
    @Test
    void aConvolutionsChannelsComeSideBySideForEachTap() {
        // Two channels of three taps.
        BlockOrder order = new BlockOrder(2, 6, 3, false);
        assertThat(order.reordered(new float[] {0, 1, 2, 3, 4, 5, 10, 11, 12, 13, 14, 15}))
                .containsExactly(0, 3, 1, 4, 2, 5, 10, 13, 11, 14, 12, 15);
        short[] onCard = new short[6];
        order.reorder(new short[] {0, 1, 2, 3, 4, 5}, onCard);
        assertThat(onCard).containsExactly(new short[] {0, 3, 1, 4, 2, 5});
    }

    @Test
    void valuesAndGatesTakeTurns() {
        BlockOrder order = new BlockOrder(4, 2, 1, true);
        assertThat(order.reordered(new float[] {0, 1, 2, 3, 4, 5, 6, 7})).containsExactly(0, 1, 4, 5, 2, 3, 6, 7);
        assertThat(order.asInFile()).isFalse();
    }
}
