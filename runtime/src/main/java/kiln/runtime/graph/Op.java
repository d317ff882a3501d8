package kiln.runtime.graph;

import java.util.List;

/**
 * What a node computes. Shapes are {@code [batch, height, width, channels]}; weights are those of the checkpoint, in its order.
 *
 * <p>Each op says what its result's shape is and what it costs. Which executors have it they say themselves
 * ({@code kiln.runtime.exec.OpTable}), and {@code kiln.runtime.check.OpCases} has a case of each for them.
 */
public sealed interface Op {
    /**
     * The result's shape.
     *
     * @param inputs shapes of what is read, in the op's order
     * @throws IllegalArgumentException when inputs and parameters do not fit each other, and why
     */
    Shape result(List<Shape> inputs, List<Weight> weights);

    /** Multiplications and additions, counted as two; elementwise work as one per element and function. */
    double flops(List<Shape> inputs, List<Weight> weights, Shape result);

    /** A value given from outside. {@code exact} values (token ids, timesteps) stay 32-bit floats whatever the executor's format. */
    record Input(Shape shape, boolean exact) implements Op {
        @Override
        public Shape result(List<Shape> inputs, List<Weight> weights) {
            return shape;
        }

        @Override
        public double flops(List<Shape> inputs, List<Weight> weights, Shape result) {
            return 0;
        }
    }

    /**
     * Convolution with weights {@code [out, in, kernel, kernel]} and a bias; {@code padBefore} is above and left, {@code padAfter} below
     * and right. With {@code upsample} its input is first doubled to nearest neighbours (kernel 3, stride 1, padding 1 only).
     */
    record Conv2d(int kernel, int stride, int padBefore, int padAfter, boolean upsample) implements Op {
        public Conv2d {
            if (upsample && (kernel != 3 || stride != 1 || padBefore != 1 || padAfter != 1)) {
                throw new IllegalArgumentException("only a 3x3 convolution that keeps the size takes an upsampling in");
            }
        }

        @Override
        public Shape result(List<Shape> inputs, List<Weight> weights) {
            Shape from = inputs.get(0);
            return new Shape(from.batch(), side(from.height()), side(from.width()), weights.get(0).rows());
        }

        private int side(int from) {
            return ((upsample ? 2 * from : from) + padBefore + padAfter - kernel) / stride + 1;
        }

        @Override
        public double flops(List<Shape> inputs, List<Weight> weights, Shape result) {
            if (upsample) {
                // Each output sees four different inputs through sums of the nine weights.
                return 2.0 * result.elements() * 4 * inputs.get(0).channels();
            }
            return 2.0 * result.elements() * weights.get(0).elements() / weights.get(0).rows();
        }
    }

    /** x · Wᵀ + b on each position, W {@code [out, in]} (or {@code [out, in, 1, 1]}); the bias is left out when there is one weight only. */
    record Linear() implements Op {
        @Override
        public Shape result(List<Shape> inputs, List<Weight> weights) {
            return inputs.get(0).withChannels(weights.get(0).rows());
        }

        @Override
        public double flops(List<Shape> inputs, List<Weight> weights, Shape result) {
            return 2.0 * result.elements() * weights.get(0).elements() / weights.get(0).rows();
        }
    }

    /** {@link Linear} to twice the channels (values, then gates), then value · gelu(gate): Shazeer 2020, with the exact GELU. */
    record LinearGeglu() implements Op {
        @Override
        public Shape result(List<Shape> inputs, List<Weight> weights) {
            int rows = weights.get(0).rows();
            if (rows % 2 != 0) {
                throw new IllegalArgumentException(rows + " rows: values and gates need an even number");
            }
            return inputs.get(0).withChannels(rows / 2);
        }

        @Override
        public double flops(List<Shape> inputs, List<Weight> weights, Shape result) {
            return 4.0 * result.elements() * weights.get(0).elements() / weights.get(0).rows() + 3 * result.elements();
        }
    }

    /** Normalisation over groups of channels and all positions, with scale and shift (Wu and He 2018). */
    record GroupNorm(int groups, float epsilon) implements Op {
        @Override
        public Shape result(List<Shape> inputs, List<Weight> weights) {
            int channels = inputs.get(0).channels();
            if (channels % groups != 0) {
                throw new IllegalArgumentException(channels + " channels cannot be parted into " + groups + " groups");
            }
            return inputs.get(0);
        }

        @Override
        public double flops(List<Shape> inputs, List<Weight> weights, Shape result) {
            return 6.0 * result.elements();
        }
    }

    /** Normalisation over the channels of each position, with scale and shift. */
    record LayerNorm(float epsilon) implements Op {
        @Override
        public Shape result(List<Shape> inputs, List<Weight> weights) {
            return inputs.get(0);
        }

        @Override
        public double flops(List<Shape> inputs, List<Weight> weights, Shape result) {
            return 6.0 * result.elements();
        }
    }

    /**
     * softmax(q·kᵀ/√headSize)·v per head.
     *
     * <p>Inputs q, k and v; each may be a slice of a wider result: {@code offsets} tells at which channel q, k and v begin in theirs.
     * Keys and values have a sequence length of their own.
     */
    record Attention(int heads, int headSize, boolean causal, int qOffset, int kOffset, int vOffset) implements Op {
        public int channels() {
            return heads * headSize;
        }

        @Override
        public Shape result(List<Shape> inputs, List<Weight> weights) {
            Shape q = inputs.get(0);
            Shape k = inputs.get(1);
            Shape v = inputs.get(2);
            boolean fits = qOffset + channels() <= q.channels()
                    && kOffset + channels() <= k.channels()
                    && vOffset + channels() <= v.channels();
            if (!fits || k.positions() != v.positions() || k.batch() != q.batch() || v.batch() != q.batch()) {
                throw new IllegalArgumentException(
                        heads + " heads of " + headSize + " cannot read queries " + q + ", keys " + k + " and values " + v);
            }
            return q.withChannels(channels());
        }

        @Override
        public double flops(List<Shape> inputs, List<Weight> weights, Shape result) {
            return 4.0 * result.rows() * inputs.get(1).positions() * channels();
        }
    }

    /** An elementwise function. */
    record Activation(PostOp.Kind kind) implements Op {
        @Override
        public Shape result(List<Shape> inputs, List<Weight> weights) {
            return inputs.get(0);
        }

        @Override
        public double flops(List<Shape> inputs, List<Weight> weights, Shape result) {
            return result.elements();
        }
    }

    /** x where it is positive, else x times its channel's slope: weights {@code [channels]} (He et al. 2015). */
    record Prelu() implements Op {
        @Override
        public Shape result(List<Shape> inputs, List<Weight> weights) {
            return inputs.get(0);
        }

        @Override
        public double flops(List<Shape> inputs, List<Weight> weights, Shape result) {
            return result.elements();
        }
    }

    /** Sum of two results of one shape. */
    record Add() implements Op {
        @Override
        public Shape result(List<Shape> inputs, List<Weight> weights) {
            if (!inputs.get(0).equals(inputs.get(1))) {
                throw new IllegalArgumentException("cannot add " + inputs.get(0) + " and " + inputs.get(1));
            }
            return inputs.get(0);
        }

        @Override
        public double flops(List<Shape> inputs, List<Weight> weights, Shape result) {
            return result.elements();
        }
    }

    /** Adds {@code [batch or 1, 1, 1, channels]} to each position. */
    record AddPerChannel() implements Op {
        @Override
        public Shape result(List<Shape> inputs, List<Weight> weights) {
            Shape x = inputs.get(0);
            Shape added = inputs.get(1);
            boolean fits = added.positions() == 1 && added.channels() == x.channels();
            if (!fits || added.batch() != 1 && added.batch() != x.batch()) {
                throw new IllegalArgumentException("cannot add " + added + " to each position of " + x);
            }
            return x;
        }

        @Override
        public double flops(List<Shape> inputs, List<Weight> weights, Shape result) {
            return result.elements();
        }
    }

    /** Results side by side along the channels. */
    record Concat() implements Op {
        @Override
        public Shape result(List<Shape> inputs, List<Weight> weights) {
            Shape first = inputs.get(0);
            int channels = 0;
            for (Shape each : inputs) {
                if (!each.withChannels(1).equals(first.withChannels(1))) {
                    throw new IllegalArgumentException("cannot put " + each + " beside " + first);
                }
                channels += each.channels();
            }
            return first.withChannels(channels);
        }

        @Override
        public double flops(List<Shape> inputs, List<Weight> weights, Shape result) {
            return result.elements();
        }
    }

    /** Nearest-neighbour resampling to a height and width: source index = floor(target · source size / target size). */
    record UpsampleNearest(int height, int width) implements Op {
        @Override
        public Shape result(List<Shape> inputs, List<Weight> weights) {
            return new Shape(inputs.get(0).batch(), height, width, inputs.get(0).channels());
        }

        @Override
        public double flops(List<Shape> inputs, List<Weight> weights, Shape result) {
            return result.elements();
        }
    }

    /** A map with {@code width} rows and columns of its opposite edges around it, as if it lay on a torus: what circular padding pads with. */
    record WrapAround(int width) implements Op {
        @Override
        public Shape result(List<Shape> inputs, List<Weight> weights) {
            Shape from = inputs.get(0);
            if (width < 1 || width > from.height() || width > from.width()) {
                throw new IllegalArgumentException(from + " has no edges of " + width + " to be laid around it");
            }
            return new Shape(from.batch(), from.height() + 2 * width, from.width() + 2 * width, from.channels());
        }

        @Override
        public double flops(List<Shape> inputs, List<Weight> weights, Shape result) {
            return result.elements();
        }
    }

    /** Rows of a token table chosen by ids, plus the row of the place: weights {@code [vocabulary, c]} and {@code [places, c]}. */
    record Embedding() implements Op {
        @Override
        public Shape result(List<Shape> inputs, List<Weight> weights) {
            Shape ids = inputs.get(0);
            int places = weights.get(1).rows();
            if (places < ids.positions()) {
                throw new IllegalArgumentException(places + " places: " + ids.positions() + " are needed");
            }
            return ids.withChannels(weights.get(0).shape().get(1));
        }

        @Override
        public double flops(List<Shape> inputs, List<Weight> weights, Shape result) {
            return result.elements();
        }
    }

    /** Sinusoids of a timestep, cosines first, frequencies 10000^(−i/half) (Ho et al. 2020). */
    record TimestepEmbedding(int channels) implements Op {
        @Override
        public Shape result(List<Shape> inputs, List<Weight> weights) {
            return inputs.get(0).withChannels(channels);
        }

        @Override
        public double flops(List<Shape> inputs, List<Weight> weights, Shape result) {
            return result.elements();
        }
    }
}
