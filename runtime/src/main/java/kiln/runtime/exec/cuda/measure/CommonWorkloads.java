package kiln.runtime.exec.cuda.measure;

import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.function.Consumer;
import kiln.kernels.DataType;
import kiln.kernels.KernelCall;
import kiln.kernels.op.attention.Attention;
import kiln.kernels.op.attention.AttentionKernel;
import kiln.kernels.op.attention.AttentionShape;
import kiln.kernels.op.attention.SplitAttention;
import kiln.kernels.op.element.CopyRows;
import kiln.kernels.op.element.Elementwise;
import kiln.kernels.op.element.Embedding;
import kiln.kernels.op.element.TimestepEmbedding;
import kiln.kernels.op.element.UpsampleNearest;
import kiln.kernels.op.norm.LayerNorm;
import kiln.kernels.op.norm.Softmax;
import kiln.kernels.op.product.ApplyEpilogue;
import kiln.kernels.op.product.Epilogue;
import kiln.kernels.op.product.OnLoad;
import kiln.kernels.op.product.ProductOperands;
import kiln.kernels.op.product.SplitSum;
import kiln.runtime.exec.cuda.program.Address;
import kiln.runtime.exec.cuda.program.DeviceTarget;
import kiln.runtime.exec.cuda.program.DeviceWeight;

/** Launches of fixed sizes, whatever the model: attention as others publish it, and kernels that no network happens to use. */
final class CommonWorkloads {
    static final String ATTENTION = "attention";
    static final String OTHERS = "others";

    private static final int BATCH = 2;
    private static final int[] LENGTHS = {4096, 1024, 256};
    private static final int[] HEAD_SIZES = {40, 80, 160, 64};
    private static final int PROMPT = 77;
    /** The decoder's one head. */
    private static final int WIDE_HEAD = 512;
    /** SD 1.x's first level at 512×512, both halves of a guided step. */
    private static final int POSITIONS = 4096;

    private static final int CHANNELS = 320;
    private static final int ROWS = BATCH * POSITIONS;

    private final DataType type;
    private final int capability;
    private final List<Workload> all = new ArrayList<>();
    private String group;
    private long arena;
    private List<Long> parameters = new ArrayList<>();

    private CommonWorkloads(DeviceTarget target) {
        type = target.type();
        capability = target.card().capability();
    }

    /** @param notices told which cannot be had */
    static List<Workload> attention(DeviceTarget target, Consumer<String> notices) {
        CommonWorkloads workloads = new CommonWorkloads(target);
        workloads.group = ATTENTION;
        for (int headSize : HEAD_SIZES) {
            for (int length : LENGTHS) {
                workloads.attention(length, length, heads(headSize, length), headSize, notices);
                workloads.attention(length, PROMPT, heads(headSize, length), headSize, notices);
            }
        }
        workloads.attention(POSITIONS, POSITIONS, 1, WIDE_HEAD, notices);
        return workloads.all;
    }

    /** SD 1.x has 8 heads of any size, XL has as many of 64 as its channels give. */
    private static int heads(int headSize, int length) {
        if (headSize != 64) {
            return 8;
        }
        return length == 4096 ? 10 : 20;
    }

    private void attention(int queries, int keys, int heads, int headSize, Consumer<String> notices) {
        int width = heads * headSize;
        AttentionShape shape = new AttentionShape(BATCH, heads, queries, keys, width, width, width, width);
        try {
            add(AttentionKernel.choose(type, capability, headSize, false, shape), shape);
        } catch (IllegalArgumentException e) {
            notices.accept("no attention with heads of " + headSize + ": " + e.getMessage());
        }
    }

    private void add(AttentionKernel kernel, AttentionShape shape) {
        int width = shape.heads() * kernel.headSize();
        double q = elements(shape.batch() * shape.queries(), width);
        double k = elements(shape.batch() * shape.keys(), width);
        KernelCall call = kernel.call(
                block(q), block(k), block(k), block(q), shape, (float) (1 / Math.sqrt(kernel.headSize())));
        add(text(shape, kernel.headSize()), call, 4.0 * shape.batch() * shape.queries() * shape.keys() * width, 2 * (q + k));
    }

    /** @param covered names of kernels that need no further launch */
    static List<Workload> others(DeviceTarget target, Set<String> covered) {
        CommonWorkloads workloads = new CommonWorkloads(target);
        workloads.group = OTHERS;
        workloads.elementwise();
        workloads.copies();
        workloads.rows();
        workloads.tables();
        workloads.afterwards();
        AttentionShape shape = new AttentionShape(BATCH, 8, 1024, 1024, CHANNELS, CHANNELS, CHANNELS, CHANNELS);
        workloads.add(new Attention(workloads.type, CHANNELS / shape.heads(), false, true), shape);
        workloads.slices(shape);
        return workloads.all.stream().filter(workload -> !covered.contains(workload.call().kernel().name())).toList();
    }

    private void elementwise() {
        double map = elements(ROWS, CHANNELS);
        int count = ROWS * CHANNELS;
        for (Elementwise.Function function : Elementwise.Function.values()) {
            Elementwise kernel = new Elementwise(function, type, 4);
            switch (function) {
                case ADD -> add(map(), kernel.add(block(map), block(map), block(map), count), 0, 3 * map);
                case ADD_PER_CHANNEL -> add(
                        map(),
                        kernel.addPerChannel(block(map), block(elements(BATCH, CHANNELS)), block(map), count, CHANNELS, POSITIONS * CHANNELS),
                        0,
                        2 * map);
                default -> add(map(), kernel.activation(block(map), block(map), count), 0, 2 * map);
            }
        }
    }

    private static String map() {
        return ROWS + " rows of " + CHANNELS;
    }

    private void copies() {
        double map = elements(ROWS, CHANNELS);
        add(map(), new CopyRows(type, type, 4).call(block(map), block(2 * map), ROWS, CHANNELS, CHANNELS, 2 * CHANNELS), 0, 2 * map);
        add(
                "32x32 to 64x64, " + CHANNELS + " channels",
                new UpsampleNearest(type, 4).call(block(map / 4), block(map), BATCH, 32, 32, CHANNELS, 64, 64),
                0,
                1.25 * map);
    }

    private void rows() {
        double map = elements(ROWS, CHANNELS);
        add(
                map(),
                new LayerNorm(type, 4).call(block(map), parameter(CHANNELS), parameter(CHANNELS), block(map), ROWS, CHANNELS, 1e-5f),
                0,
                2 * map);
        int columns = 1024;
        double scores = elements(ROWS, columns);
        add(ROWS + " rows of " + columns, new Softmax(type, 4).call(block(scores), block(scores), ROWS, columns, 1), 0, 2 * scores);
        int parts = 4;
        int rows = 128;
        int outputs = 1280;
        SplitSum sum = new SplitSum(type, false, 4, Epilogue.BIAS);
        double sums = (double) parts * rows * outputs * Float.BYTES;
        long work = block(sums);
        ProductOperands operands = new ProductOperands(
                0, OnLoad.Factors.NONE, 0, 0, block(elements(rows, outputs)), work, parameter(outputs), List.of());
        add(
                parts + " parts of " + rows + " rows of " + outputs,
                sum.call(operands, parts, rows, outputs, outputs),
                0,
                sums + elements(rows, outputs));
    }

    private void tables() {
        int width = 768;
        int tokens = BATCH * PROMPT;
        // Numbers of tokens lie where nothing writes: random bytes read as floats between −1 and 1, that is token 0.
        long ids = parameter((long) tokens * Float.BYTES, 1);
        add(
                tokens + " tokens of " + width,
                new Embedding(type).call(
                        ids, parameter(2 * width), parameter(PROMPT * width), block(elements(tokens, width)), tokens, PROMPT, width),
                0,
                3 * elements(tokens, width));
        add(
                BATCH + " timesteps, " + CHANNELS + " channels",
                new TimestepEmbedding(type).call(
                        block(BATCH * Float.BYTES),
                        parameter((long) CHANNELS / 2 * Float.BYTES, 1),
                        block(elements(BATCH, CHANNELS)),
                        BATCH,
                        CHANNELS),
                0,
                elements(BATCH, CHANNELS));
    }

    /** What follows a library's product. */
    private void afterwards() {
        double map = elements(ROWS, CHANNELS);
        add(
                map(),
                ApplyEpilogue.of(type, Epilogue.BIAS, CHANNELS).call(block(2 * map), block(map), ROWS, CHANNELS, parameter(CHANNELS), List.of()),
                0,
                2 * map);
    }

    /** One slice that is all. */
    private void slices(AttentionShape shape) {
        int headSize = CHANNELS / shape.heads();
        long work = SplitAttention.mostWorkBytes(shape);
        double q = elements(shape.batch() * shape.queries(), CHANNELS);
        double k = elements(shape.batch() * shape.keys(), CHANNELS);
        double flops = 2.0 * shape.batch() * shape.queries() * shape.keys() * CHANNELS;
        long[] at = {block(q), block(k), block(k), block(q), block(work)};
        long blocks = arena;
        List<KernelCall> calls = SplitAttention.calls(
                SplitAttention.Kind.WHOLE, type, capability, headSize, false, shape, 0.125f, at[0], at[1], at[2], at[3], at[4], work);
        for (KernelCall call : calls) {
            boolean softmax = call.kernel() instanceof Softmax;
            arena = blocks;
            add(text(shape, headSize), call, softmax ? 0 : flops, softmax ? 2.0 * work : q + k + work);
        }
    }

    private static String text(AttentionShape shape, int headSize) {
        return shape.batch() + "x" + shape.heads() + " heads of " + headSize + ", " + shape.queries() + " queries, " + shape.keys() + " keys";
    }

    private double elements(int rows, int columns) {
        return (double) rows * columns * type.bytes();
    }

    private long block(double bytes) {
        long at = arena;
        arena += DeviceWeight.align((long) bytes);
        return Address.arena(at);
    }

    private long parameter(int elements) {
        return parameter(elements, type.bytes());
    }

    private long parameter(long elements, int bytes) {
        parameters.add(elements * bytes);
        return Address.weight(parameters.size() - 1, 0);
    }

    private void add(String text, KernelCall call, double flops, double bytes) {
        all.add(new Workload(group, text, call, 0, flops, bytes, arena, parameters));
        arena = 0;
        parameters = new ArrayList<>();
    }
}
