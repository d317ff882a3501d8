package kiln.kernels.op;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import kiln.kernels.DataType;
import kiln.kernels.Kernel;
import kiln.kernels.KernelCall;
import kiln.kernels.ptx.PtxFunction;
import kiln.kernels.ptx.PtxModule;
import kiln.kernels.ptx.PtxOp;
import kiln.kernels.ptx.PtxType;
import kiln.kernels.ptx.Space;
import kiln.kernels.ptx.Value;

/**
 * A rough picture straight from a latent: {@code out[position, c] = 255 · (map[4, c] + Σ_k latent[position, k] · map[k, c])}, rounded and
 * limited to 0 to 255, from {@code [positions, 4]} to bytes {@code [positions, 3]}. One thread does a position.
 */
public record LatentToRgb(DataType type) implements Kernel {
    private static final int THREADS = 128;
    private static final int CHANNELS = 4;
    private static final int COLOURS = 3;
    private static final float WHITE = 255;

    public LatentToRgb {
        Objects.requireNonNull(type, "type");
    }

    @Override
    public String name() {
        return "latent_to_rgb";
    }

    @Override
    public String variant() {
        return type.label();
    }

    @Override
    public int threads() {
        return THREADS;
    }

    @Override
    public int registerBudget() {
        return 40;
    }

    /**
     * @param latent aligned to four elements
     * @param map five rows of three: what each latent channel adds to red, green and blue in 0…1, and last what is added always
     */
    public KernelCall call(long latent, long out, int positions, float[][] map) {
        if (map.length != CHANNELS + 1 || Arrays.stream(map).anyMatch(row -> row.length != COLOURS)) {
            throw new IllegalArgumentException("latent_to_rgb: a map has 5 rows of 3, found " + Arrays.deepToString(map));
        }
        List<Object> arguments = new ArrayList<>(List.of(latent, out, positions));
        for (float[] row : map) {
            for (float factor : row) {
                arguments.add(factor);
            }
        }
        return new KernelCall(this, Code.blocks(positions, THREADS), 1, 1, arguments);
    }

    @Override
    public String ptx() {
        PtxModule module = new PtxModule(Code.FLOOR);
        PtxFunction f = module.entry(name(), THREADS, registerBudget());
        Value latent = f.parameter("latent", PtxType.U64);
        Value out = f.parameter("out", PtxType.U64);
        Value positions = f.parameter("positions", PtxType.U32);
        Value[][] map = new Value[CHANNELS + 1][COLOURS];
        for (int k = 0; k < map.length; k++) {
            for (int c = 0; c < COLOURS; c++) {
                map[k][c] = f.parameter("map_" + k + "_" + c, PtxType.F32);
            }
        }
        Value position = Code.globalThread(f, THREADS);
        f.when(Code.less(f, position, positions), () -> {
            Value from = f.address(latent, position, CHANNELS * type.bytes());
            Value[] x = Code.loadFloats(f, Space.GLOBAL, type, CHANNELS, from, 0);
            Value to = f.address(out, position, COLOURS);
            for (int c = 0; c < COLOURS; c++) {
                Value sum = map[CHANNELS][c];
                for (int k = 0; k < CHANNELS; k++) {
                    sum = f.mad(x[k], map[k][c], sum);
                }
                Value limited = f.compute(PtxOp.MIN, f.compute(PtxOp.MAX, f.mul(sum, Value.of(WHITE)), Value.of(0f)), Value.of(WHITE));
                Value whole = f.convert(PtxType.U32, f.add(limited, Value.of(0.5f)));
                f.store(Space.GLOBAL, to, c, whole.as(PtxType.U8));
            }
        });
        return module.text();
    }

    public float[] reference(float[] latent, float[][] map) {
        float[] out = new float[latent.length / CHANNELS * COLOURS];
        for (int i = 0; i < out.length; i++) {
            double sum = map[CHANNELS][i % COLOURS];
            for (int k = 0; k < CHANNELS; k++) {
                sum += (double) latent[i / COLOURS * CHANNELS + k] * map[k][i % COLOURS];
            }
            out[i] = Math.round(WHITE * Math.max(0, Math.min(1, sum)));
        }
        return out;
    }
}
