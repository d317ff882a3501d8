package kiln.runtime.graph;

/**
 * What a node computes. Shapes are {@code [batch, height, width, channels]}; weights are those of the checkpoint, in its order.
 */
public sealed interface Op {
    /** A value given from outside. {@code exact} values (token ids, timesteps) stay 32-bit floats whatever the executor's format. */
    record Input(boolean exact) implements Op {}

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
    }

    /** x · Wᵀ + b on each position, W {@code [out, in]} (or {@code [out, in, 1, 1]}); the bias is left out when there is one weight only. */
    record Linear() implements Op {}

    /** {@link Linear} to twice the channels (values, then gates), then value · gelu(gate): Shazeer 2020, with the exact GELU. */
    record LinearGeglu() implements Op {}

    /** Normalisation over groups of channels and all positions, with scale and shift (Wu and He 2018). */
    record GroupNorm(int groups, float epsilon) implements Op {}

    /** Normalisation over the channels of each position, with scale and shift. */
    record LayerNorm(float epsilon) implements Op {}

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
    }

    /** An elementwise function. */
    record Activation(PostOp.Kind kind) implements Op {}

    /** Sum of two results of one shape. */
    record Add() implements Op {}

    /** Adds {@code [batch or 1, 1, 1, channels]} to each position. */
    record AddPerChannel() implements Op {}

    /** Results side by side along the channels. */
    record Concat() implements Op {}

    /** Nearest-neighbour resampling to the node's height and width: source index = floor(target · source size / target size). */
    record UpsampleNearest() implements Op {}

    /** Rows of a token table chosen by ids, plus the row of the place: weights {@code [vocabulary, c]} and {@code [places, c]}. */
    record Embedding() implements Op {}

    /** Sinusoids of a timestep, cosines first, frequencies 10000^(−i/half) (Ho et al. 2020). */
    record TimestepEmbedding() implements Op {}
}
