package kiln.runtime.addon;

import java.util.Arrays;
import java.util.Map;

/**
 * What is added to a weight W {@code [out, in]} or {@code [out, in, height, width]} by each {@link LoraKind}, before its scale.
 *
 * <p>Definitions: Hu et al. 2021 (LoRA), Yeh et al. 2023 (LyCORIS: LoCon, LoHa, LoKr and Tucker's forms), Liu et al. 2022 (IA3),
 * Chavan et al. 2023 (GLoRA); names and orders as LyCORIS's modules have them.
 */
final class LoraFormulas {
    private LoraFormulas() {}

    /**
     * What a formula works on.
     *
     * @param weight as changed by what came before; only some formulas read it
     * @param parts of one module
     * @param ranks how many are used, the first ones; {@code Integer.MAX_VALUE} for all
     */
    record Input(Values weight, Map<LoraPart, Values> parts, int ranks) {
        Values get(LoraPart part) {
            return parts.get(part);
        }

        boolean has(LoraPart part) {
            return parts.containsKey(part);
        }
    }

    /**
     * What a formula gives.
     *
     * @param delta {@code null} where it is {@code left · right}, which is then added without being written down
     * @param rank that alpha is divided by; 0 where alpha plays no part
     */
    record Output(Values delta, Values left, Values right, int rank) {
        static Output of(Values delta, int rank) {
            return new Output(delta, null, null, rank);
        }
    }

    /** One kind's formula. */
    @FunctionalInterface
    interface Formula {
        Output of(Input input);
    }

    static Output lora(Input input) {
        Values up = input.get(LoraPart.UP);
        Values down = input.get(LoraPart.DOWN);
        Values mid = input.get(LoraPart.MID);
        if (mid == null) {
            return new Output(null, up, down, down.rows());
        }
        // mid [n, m, height, width], up [out, n], down [m, in].
        return Output.of(tucker(mid, transposed(up), down), down.rows());
    }

    static Output loha(Input input) {
        Values first = hada(input, LoraPart.HADA_W1_A, LoraPart.HADA_W1_B, LoraPart.HADA_T1);
        Values second = hada(input, LoraPart.HADA_W2_A, LoraPart.HADA_W2_B, LoraPart.HADA_T2);
        require(first.data().length == second.data().length, "its two factors differ in size");
        float[] product = new float[first.data().length];
        for (int i = 0; i < product.length; i++) {
            product[i] = first.data()[i] * second.data()[i];
        }
        return Output.of(new Values(first.shape(), product), input.get(LoraPart.HADA_W1_B).rows());
    }

    private static Values hada(Input input, LoraPart a, LoraPart b, LoraPart core) {
        return input.has(core) ? tucker(input.get(core), input.get(a), input.get(b)) : product(input.get(a), input.get(b));
    }

    static Output ia3(Input input) {
        Values weight = input.weight();
        float[] factors = input.get(LoraPart.IA3_WEIGHT).data();
        boolean onInput = input.get(LoraPart.IA3_ON_INPUT).data()[0] != 0;
        int channels = weight.shape().length > 1 ? weight.size(1) : 1;
        require(factors.length == (onInput ? channels : weight.rows()), "has " + factors.length + " factors");
        int places = weight.columns() / channels;
        float[] delta = new float[weight.data().length];
        for (int i = 0; i < delta.length; i++) {
            delta[i] = weight.data()[i] * factors[onInput ? i / places % channels : i / weight.columns()];
        }
        return Output.of(new Values(weight.shape(), delta), 0);
    }

    static Output lokr(Input input) {
        boolean firstIsProduct = !input.has(LoraPart.LOKR_W1);
        boolean secondIsProduct = !input.has(LoraPart.LOKR_W2);
        Values first = firstIsProduct ? product(input.get(LoraPart.LOKR_W1_A), input.get(LoraPart.LOKR_W1_B)) : input.get(LoraPart.LOKR_W1);
        Values second = input.get(LoraPart.LOKR_W2);
        if (secondIsProduct) {
            Values a = input.get(LoraPart.LOKR_W2_A);
            Values b = input.get(LoraPart.LOKR_W2_B);
            second = input.has(LoraPart.LOKR_T2) ? tucker(input.get(LoraPart.LOKR_T2), a, b) : withKernel(product(a, b), input.weight(), first);
        }
        int rank = secondIsProduct
                ? input.get(LoraPart.LOKR_W2_B).rows()
                : firstIsProduct ? input.get(LoraPart.LOKR_W1_B).rows() : 0;
        return Output.of(kronecker(first, second), rank);
    }

    /** A second factor whose columns are channels and places of a kernel together. */
    private static Values withKernel(Values second, Values weight, Values first) {
        if (weight.shape().length < 4) {
            return second;
        }
        int places = weight.size(2) * weight.size(3);
        require(second.columns() % places == 0, "its factors do not fit a kernel of " + places);
        return new Values(new int[] {second.rows(), second.columns() / places, weight.size(2), weight.size(3)}, second.data());
    }

    private static Values kronecker(Values first, Values second) {
        int places = second.shape().length > 2 ? second.columns() / second.size(1) : 1;
        int channels = second.columns() / places;
        int columns = first.columns() * channels * places;
        float[] product = new float[Math.multiplyExact(Math.multiplyExact(first.rows(), second.rows()), columns)];
        for (int row = 0; row < first.rows() * second.rows(); row++) {
            int firstAt = row / second.rows() * first.columns();
            int secondAt = row % second.rows() * second.columns();
            for (int j = 0; j < first.columns(); j++) {
                float factor = first.data()[firstAt + j];
                int at = row * columns + j * channels * places;
                for (int i = 0; i < channels * places; i++) {
                    product[at + i] = factor * second.data()[secondAt + i];
                }
            }
        }
        return new Values(new int[] {first.rows() * second.rows(), columns}, product);
    }

    static Output full(Input input) {
        return Output.of(input.get(LoraPart.DIFF), 0);
    }

    static Output norm(Input input) {
        return Output.of(input.get(LoraPart.W_NORM), 0);
    }

    /**
     * b2·b1 + (W·a2)·a1 in the order that files before May 2024 have and A1111 knows; since then LyCORIS writes b1·b2 + (W·a1)·a2.
     */
    static Output glora(Input input) {
        Values weight = input.weight();
        Values[] a = {input.get(LoraPart.GLORA_A2), input.get(LoraPart.GLORA_A1)};
        Values[] b = {input.get(LoraPart.GLORA_B2), input.get(LoraPart.GLORA_B1)};
        boolean older = fits(weight, a, b);
        if (!older) {
            a = new Values[] {a[1], a[0]};
            b = new Values[] {b[1], b[0]};
            require(fits(weight, a, b), "its factors do not fit each other");
        }
        Values delta = product(b[0], b[1]);
        int channels = weight.shape().length > 1 ? weight.size(1) : 1;
        int places = weight.columns() / channels;
        if (places == 1) {
            Values through = product(new Values(new int[] {weight.rows(), channels}, weight.data()), a[0]);
            Matrices.addProduct(delta.data(), through, a[1], a[1].rows(), 1);
        } else {
            addThroughChannels(delta.data(), weight, places, product(a[0], a[1]));
        }
        return Output.of(delta, b[0].columns());
    }

    private static boolean fits(Values weight, Values[] a, Values[] b) {
        int channels = weight.shape().length > 1 ? weight.size(1) : 1;
        return b[0].rows() == weight.rows() && b[0].columns() == b[1].rows() && b[1].columns() == weight.columns()
                && a[0].rows() == channels && a[0].columns() == a[1].rows() && a[1].columns() == channels;
    }

    /** Each kernel's place by itself, as torch's unfolded product does. */
    private static void addThroughChannels(float[] delta, Values weight, int places, Values matrix) {
        int channels = weight.size(1);
        for (int row = 0; row < weight.rows(); row++) {
            for (int from = 0; from < channels; from++) {
                for (int to = 0; to < channels; to++) {
                    float factor = matrix.data()[from * channels + to];
                    for (int place = 0; place < places; place++) {
                        delta[(row * channels + to) * places + place] += factor * weight.data()[(row * channels + from) * places + place];
                    }
                }
            }
        }
    }

    private static Values product(Values a, Values b) {
        require(a.columns() == b.rows(), "its factors " + Arrays.toString(a.shape()) + " and " + Arrays.toString(b.shape()) + " do not fit");
        return a.times(b);
    }

    private static Values transposed(Values matrix) {
        float[] turned = new float[matrix.data().length];
        for (int i = 0; i < matrix.rows(); i++) {
            for (int j = 0; j < matrix.columns(); j++) {
                turned[j * matrix.rows() + i] = matrix.data()[i * matrix.columns() + j];
            }
        }
        return new Values(new int[] {matrix.columns(), matrix.rows()}, turned);
    }

    /** Tucker's form: core {@code [i, j, height, width]}, a {@code [i, out]}, b {@code [j, in]} → {@code [out, in, height, width]}. */
    private static Values tucker(Values core, Values a, Values b) {
        require(
                core.shape().length == 4 && core.size(0) == a.rows() && core.size(1) == b.rows(),
                "its core " + Arrays.toString(core.shape()) + " does not fit its factors");
        int places = core.size(2) * core.size(3);
        int inputs = b.columns();
        float[] half = new float[Math.multiplyExact(core.size(0), Math.multiplyExact(inputs, places))];
        for (int i = 0; i < core.size(0); i++) {
            for (int j = 0; j < core.size(1); j++) {
                for (int in = 0; in < inputs; in++) {
                    float factor = b.data()[j * inputs + in];
                    for (int place = 0; place < places; place++) {
                        half[(i * inputs + in) * places + place] += factor * core.data()[(i * core.size(1) + j) * places + place];
                    }
                }
            }
        }
        Values whole = transposed(a).times(new Values(new int[] {core.size(0), inputs * places}, half));
        return new Values(new int[] {a.columns(), inputs, core.size(2), core.size(3)}, whole.data());
    }

    /** @throws LoraMisfit with the reason */
    static void require(boolean fits, String reason) {
        if (!fits) {
            throw new LoraMisfit(reason);
        }
    }
}
