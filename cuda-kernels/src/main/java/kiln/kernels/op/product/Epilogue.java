package kiln.kernels.op.product;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import kiln.kernels.DataType;
import kiln.kernels.op.Activation;
import kiln.kernels.op.Code;
import kiln.kernels.op.ColumnStatistics;
import kiln.kernels.op.norm.GroupNormStatistics;
import kiln.kernels.ptx.PtxFunction;
import kiln.kernels.ptx.PtxOp;
import kiln.kernels.ptx.PtxType;
import kiln.kernels.ptx.Space;
import kiln.kernels.ptx.Value;

/**
 * What a product does to its sums before it stores them, in order: bias, GEGLU, then the steps.
 *
 * @param geglu columns come in pairs (value, gate) that become one, value · gelu(gate): the result has half the columns. The weights' rows
 *     are interleaved for this when they are loaded ({@link #interleaved})
 */
public record Epilogue(boolean bias, boolean geglu, List<Step> steps) {
    /** One step; those without an activation have a tensor: to add, or to leave statistics in. */
    public enum Step {
        SILU(Activation.SILU),
        GELU(Activation.GELU),
        QUICK_GELU(Activation.QUICK_GELU),
        RELU(Activation.RELU),
        LEAKY_RELU(Activation.LEAKY_RELU),
        FIFTH(Activation.FIFTH),
        /** Adds a tensor of the result's rows and columns, with a row stride of its own. */
        ADD(null),
        /** Adds {@code [batch or 1, columns]} to each row of its batch. */
        ADD_PER_CHANNEL(null),
        /**
         * Leaves the results' statistics in a tensor of its own, in {@link GroupNormStatistics}' format, and changes nothing. Only the last
         * step. They are those of the results before these are rounded, and their slices those of the tile ({@link
         * MultiplyPlan#statisticsSlice}): row {@code r} belongs to slice {@code r / perSlice}; all are full.
         */
        STATISTICS(null);

        private final Activation activation;

        Step(Activation activation) {
            this.activation = activation;
        }

        public boolean hasInput() {
            return activation == null;
        }
    }

    /**
     * The tensor that a step adds, or leaves statistics in.
     *
     * @param step for {@link Step#ADD} elements from row to row; for {@link Step#ADD_PER_CHANNEL} how many of the result's rows share one; for
     *     {@link Step#STATISTICS} nothing, 0
     */
    public record Input(long address, int step) {}

    /**
     * What it works with in plain Java.
     *
     * @param bias one value for each column; without a bias, ignored
     * @param added for each step that adds a tensor, its elements, rows adjacent
     * @param steps of these tensors, as in {@link Input}
     */
    public record Values(float[] bias, List<float[]> added, List<Integer> steps) {
        public static final Values NONE = new Values(null, List.of(), List.of());

        public Values {
            added = List.copyOf(added);
            steps = List.copyOf(steps);
        }
    }

    public static final Epilogue NONE = new Epilogue(false, false, List.of());
    public static final Epilogue BIAS = new Epilogue(true, false, List.of());

    public Epilogue {
        steps = List.copyOf(steps);
        int statistics = steps.indexOf(Step.STATISTICS);
        if (statistics >= 0 && (geglu || statistics != steps.size() - 1)) {
            throw new IllegalArgumentException("epilogue " + label(bias, geglu, steps) + ": statistics come last, and not with geglu");
        }
    }

    /** Whether {@link Step#STATISTICS} is its last step. */
    public boolean leavesStatistics() {
        return steps.contains(Step.STATISTICS);
    }

    /** The same but for {@link Step#STATISTICS}. */
    public Epilogue withoutStatistics() {
        return leavesStatistics() ? new Epilogue(bias, geglu, steps.subList(0, steps.size() - 1)) : this;
    }

    /** A bias and then steps. */
    public static Epilogue biasThen(Step... steps) {
        return new Epilogue(true, false, List.of(steps));
    }

    public static Epilogue biasGeglu() {
        return new Epilogue(true, true, List.of());
    }

    /** As in variants' names: "bias+add". */
    public String label() {
        return label(bias, geglu, steps);
    }

    private static String label(boolean bias, boolean geglu, List<Step> steps) {
        StringBuilder out = new StringBuilder(bias ? "bias" : "plain");
        if (geglu) {
            out.append("+geglu");
        }
        for (Step step : steps) {
            out.append('+').append(step.name().toLowerCase(Locale.ROOT).replace("_", ""));
        }
        return out.toString();
    }

    int resultColumns(int columns) {
        return geglu ? columns / 2 : columns;
    }

    /** Appends the arguments that {@link Text} declares. */
    void addArguments(List<Object> arguments, long biasAddress, List<Input> inputs) {
        List<Step> withInput = steps.stream().filter(Step::hasInput).toList();
        if (inputs.size() != withInput.size()) {
            throw new IllegalArgumentException(label() + " with " + inputs.size() + " tensors");
        }
        if (bias) {
            arguments.add(biasAddress);
        }
        for (int i = 0; i < inputs.size(); i++) {
            arguments.add(inputs.get(i).address());
            if (withInput.get(i) != Step.STATISTICS) {
                arguments.add(inputs.get(i).step());
            }
        }
    }

    /**
     * The result in plain Java.
     *
     * @param sums {@code [rows, columns]}
     */
    float[] reference(float[] sums, int rows, int columns, Values values) {
        float[] current = sums.clone();
        if (bias) {
            for (int i = 0; i < current.length; i++) {
                current[i] += values.bias[i % columns];
            }
        }
        int width = resultColumns(columns);
        if (geglu) {
            float[] halved = new float[rows * width];
            for (int i = 0; i < halved.length; i++) {
                int at = i / width * columns + i % width * 2;
                halved[i] = current[at] * Activation.GELU.apply(current[at + 1]);
            }
            current = halved;
        }
        int input = 0;
        for (Step step : withoutStatistics().steps) {
            float[] other = step.hasInput() ? values.added.get(input) : null;
            int inputStep = step.hasInput() ? values.steps.get(input++) : 0;
            for (int i = 0; i < current.length; i++) {
                int row = i / width;
                int column = i % width;
                switch (step) {
                    case ADD -> current[i] += other[row * inputStep + column];
                    case ADD_PER_CHANNEL -> current[i] += other[row / inputStep * width + column];
                    default -> current[i] = step.activation.apply(current[i]);
                }
            }
        }
        return current;
    }

    /** The epilogue's part of a kernel's text: parameters first, then {@link #apply} for each run of neighbouring results. */
    final class Text {
        private final PtxFunction f;
        private final DataType type;
        private final Value biasPointer;
        private final List<Value> pointers = new ArrayList<>();
        private final List<Value> inputSteps = new ArrayList<>();
        /** Address of the statistics; {@code null} where none are left. */
        private final Value statistics;

        Text(PtxFunction f, DataType type) {
            this.f = f;
            this.type = type;
            biasPointer = bias ? f.parameter("bias", PtxType.U64) : null;
            for (Step step : withoutStatistics().steps) {
                if (step.hasInput()) {
                    String name = "added" + pointers.size();
                    pointers.add(f.parameter(name, PtxType.U64));
                    inputSteps.add(f.parameter(name + "_step", PtxType.U32));
                }
            }
            statistics = leavesStatistics() ? f.parameter("statistics", PtxType.U64) : null;
        }

        /** The biases of neighbouring columns, 0 where the column is out of range; {@code null} without a bias. */
        Value[] biases(Value inRange, Value column, int count) {
            if (!bias) {
                return null;
            }
            Value[] result = new Value[count];
            for (int i = 0; i < count; i++) {
                result[i] = f.register(PtxType.F32);
            }
            Code.zero(f, result);
            f.guarded(inRange, () -> Code.loadFloats(f, Space.GLOBAL, type, f.address(biasPointer, column, type.bytes()), 0, result));
            return result;
        }

        /**
         * Emits the steps on a run of results of one row; all is computed, and only loaded where {@code inRange} holds.
         *
         * @param columns of the result
         */
        Value[] apply(Value[] sums, Value inRange, Value row, Value column, Value columns) {
            Value[] current = sums.clone();
            int input = 0;
            for (Step step : withoutStatistics().steps) {
                Value[] added = null;
                if (step.hasInput()) {
                    Value pointer = pointers.get(input);
                    Value inputStep = inputSteps.get(input++);
                    Value place = step == Step.ADD
                            ? f.mad(row, inputStep, column)
                            : f.mad(f.compute(PtxOp.DIV, row, inputStep), columns, column);
                    added = new Value[current.length];
                    for (int i = 0; i < added.length; i++) {
                        added[i] = f.register(PtxType.F32);
                    }
                    Code.zero(f, added);
                    Value[] targets = added;
                    f.guarded(inRange, () -> Code.loadFloats(f, Space.GLOBAL, type, f.address(pointer, place, type.bytes()), 0, targets));
                }
                for (int i = 0; i < current.length; i++) {
                    current[i] = added == null ? step.activation.emit(f, current[i]) : f.add(current[i], added[i]);
                }
            }
            return current;
        }

        /** Where the statistics of a slice's columns from {@code column} on go. */
        Value statisticsAddress(Value slice, Value column, Value columns) {
            return f.address(statistics, f.mad(slice, columns, column), ColumnStatistics.PAIR_BYTES);
        }
    }
}
