package kiln.runtime.exec.cuda.measure;

import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;
import kiln.kernels.KernelCall;
import kiln.kernels.op.attention.AttentionKernel;
import kiln.kernels.op.attention.AttentionShape;
import kiln.runtime.exec.cuda.program.Address;
import kiln.runtime.exec.cuda.program.DeviceTarget;
import kiln.runtime.exec.cuda.program.DeviceWeight;

/** Attention at the sizes that others publish, whatever the model. */
final class PublishedAttention {
    static final String GROUP = "attention";

    private static final int BATCH = 2;
    private static final int[] LENGTHS = {4096, 1024, 256};
    private static final int[] HEAD_SIZES = {40, 80, 160, 64};
    private static final int PROMPT = 77;
    /** The decoder's one head. */
    private static final int WIDE_HEAD = 512;

    private final DeviceTarget target;
    private final Consumer<String> notices;
    private final List<Workload> all = new ArrayList<>();
    private long arena;

    private PublishedAttention(DeviceTarget target, Consumer<String> notices) {
        this.target = target;
        this.notices = notices;
    }

    /** @param notices told which cannot be had */
    static List<Workload> of(DeviceTarget target, Consumer<String> notices) {
        PublishedAttention attention = new PublishedAttention(target, notices);
        for (int headSize : HEAD_SIZES) {
            for (int length : LENGTHS) {
                attention.add(length, length, heads(headSize, length), headSize);
                attention.add(length, PROMPT, heads(headSize, length), headSize);
            }
        }
        attention.add(LENGTHS[0], LENGTHS[0], 1, WIDE_HEAD);
        return List.copyOf(attention.all);
    }

    /** SD 1.x has 8 heads of any size, XL has as many of 64 as its channels give. */
    private static int heads(int headSize, int length) {
        if (headSize != 64) {
            return 8;
        }
        return length == 4096 ? 10 : 20;
    }

    private void add(int queries, int keys, int heads, int headSize) {
        int width = heads * headSize;
        AttentionShape shape = new AttentionShape(BATCH, heads, queries, keys, width, width, width, width);
        AttentionKernel kernel;
        try {
            kernel = AttentionKernel.choose(target.type(), target.card().capability(), headSize, false, shape);
        } catch (IllegalArgumentException e) {
            notices.accept("no attention with heads of " + headSize + ": " + e.getMessage());
            return;
        }
        arena = 0;
        double q = (double) BATCH * queries * width * target.type().bytes();
        double k = (double) BATCH * keys * width * target.type().bytes();
        KernelCall call = kernel.call(block(q), block(k), block(k), block(q), shape, (float) (1 / Math.sqrt(headSize)));
        String text = BATCH + "x" + heads + " heads of " + headSize + ", " + queries + " queries, " + keys + " keys";
        all.add(new Workload(GROUP, text, call, 0, 4.0 * BATCH * queries * keys * width, 2 * (q + k), arena, List.of()));
    }

    private long block(double bytes) {
        long at = arena;
        arena += DeviceWeight.align((long) bytes);
        return Address.arena(at);
    }
}
