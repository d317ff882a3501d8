package kiln.kernels.op;

import java.util.ArrayList;
import java.util.List;
import kiln.kernels.DataType;
import kiln.kernels.Kernel;

/** All variants that Kiln can launch, for checks, dumps and tables. */
public final class KernelLibrary {
    private KernelLibrary() {}

    public static List<Kernel> all() {
        List<Kernel> all = new ArrayList<>();
        for (DataType type : DataType.values()) {
            for (int width : new int[] {1, 4}) {
                for (Elementwise.Function function : Elementwise.Function.values()) {
                    all.add(new Elementwise(function, type, width));
                }
            }
        }
        for (DataType type : DataType.values()) {
            for (Tile tile : List.of(Tile.SMALL, Tile.MEDIUM, Tile.LARGE)) {
                // Sizes that do not allow vectors are rare and small: no large tile for them.
                for (boolean vector : tile == Tile.LARGE ? new boolean[] {true} : new boolean[] {false, true}) {
                    for (Epilogue epilogue : epilogues()) {
                        all.add(new MatrixMultiply(type, tile, vector, epilogue));
                    }
                }
            }
        }
        for (Arithmetic arithmetic : List.of(Arithmetic.MMA8, Arithmetic.MMA16)) {
            for (Tile tile : List.of(Tile.mediumTensor(arithmetic), Tile.largeTensor(arithmetic))) {
                for (Epilogue epilogue : epilogues()) {
                    all.add(new MatrixMultiply(DataType.F16, tile, true, epilogue));
                }
                all.add(new Convolution(DataType.F16, tile, true, Epilogue.BIAS, 1, 1, 0, false));
                all.add(new Convolution(DataType.F16, tile, true, Epilogue.BIAS, 3, 2, 0, false));
                all.add(new Convolution(DataType.F16, tile, true, Epilogue.BIAS, 3, 2, 1, false));
                all.add(new Convolution(DataType.F16, tile, true, Epilogue.BIAS, 3, 1, 1, true));
                all.add(new Convolution(DataType.F16, tile, true, Epilogue.biasThen(Epilogue.Step.ADD), 3, 1, 1, false));
            }
        }
        for (DataType type : DataType.values()) {
            for (boolean vector : new boolean[] {false, true}) {
                Tile tile = vector ? Tile.MEDIUM : Tile.SMALL;
                all.add(new Convolution(type, tile, vector, Epilogue.BIAS, 1, 1, 0, false));
                all.add(new Convolution(type, tile, vector, Epilogue.BIAS, 3, 2, 0, false));
                all.add(new Convolution(type, tile, vector, Epilogue.BIAS, 3, 2, 1, false));
                all.add(new Convolution(type, tile, vector, Epilogue.BIAS, 3, 1, 1, true));
                all.add(new Convolution(type, tile, vector, Epilogue.BIAS, 3, 1, 1, false));
            }
            for (Epilogue epilogue : List.of(
                    Epilogue.biasThen(Epilogue.Step.ADD),
                    Epilogue.biasThen(Epilogue.Step.ADD_PER_CHANNEL),
                    Epilogue.biasThen(Epilogue.Step.SILU))) {
                all.add(new Convolution(type, Tile.LARGE, true, epilogue, 3, 1, 1, false));
            }
        }
        for (DataType type : DataType.values()) {
            for (int width : new int[] {1, 4}) {
                all.add(new Geglu(type, width));
                all.add(new UpsampleNearest(type, width));
                all.add(new LayerNorm(type, width));
                all.add(new Softmax(type, width));
                all.add(new GroupNormApply(type, width, false));
                all.add(new GroupNormApply(type, width, true));
                for (DataType to : DataType.values()) {
                    all.add(new CopyRows(type, to, width));
                }
            }
            all.add(new Embedding(type));
            all.add(new TimestepEmbedding(type));
            all.add(new GroupNormStatistics(type));
            all.add(new GroupNormScale(type));
            for (int headSize : new int[] {8, 32, 40, 64, 80, 128, 160}) {
                all.add(new Attention(type, headSize, false, true));
            }
            all.add(new Attention(type, 64, true, true));
            all.add(new Attention(type, 40, false, false));
            all.add(new Attention(type, 13, true, false));
        }
        return List.copyOf(all);
    }

    /** Those that the networks use and one that has every step. */
    private static List<Epilogue> epilogues() {
        return List.of(
                Epilogue.NONE,
                Epilogue.BIAS,
                Epilogue.biasGeglu(),
                Epilogue.biasThen(Epilogue.Step.ADD),
                Epilogue.biasThen(
                        Epilogue.Step.ADD_PER_CHANNEL,
                        Epilogue.Step.SILU,
                        Epilogue.Step.ADD,
                        Epilogue.Step.GELU,
                        Epilogue.Step.ADD,
                        Epilogue.Step.QUICK_GELU));
    }
}
