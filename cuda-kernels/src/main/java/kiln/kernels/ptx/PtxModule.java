package kiln.kernels.ptx;

import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;

/**
 * The text of one PTX module.
 *
 * <p>The version is the lowest that the target and the instructions need, never under 6.0 (CUDA 9.0 drivers, 384.81), so that an old driver
 * runs everything that does not ask for a newer card. One thread.
 */
public final class PtxModule {
    /** PTX 6.0: shuffles and barriers that name their threads. */
    private static final int FLOOR_VERSION = 60;

    /** PTX 8.0: sm_90a. */
    private static final int EXACT_VERSION = 80;

    private static final int[][] VERSION_OF_TARGET = {{90, 78}, {89, 78}, {86, 71}, {80, 70}, {75, 63}, {72, 61}, {0, FLOOR_VERSION}};

    private final Target target;
    private final List<PtxFunction> functions = new ArrayList<>();
    private final Set<String> dynamicShared = new LinkedHashSet<>();
    private int version;

    public PtxModule(Target target) {
        this.target = target;
        for (int[] row : VERSION_OF_TARGET) {
            if (target.capability() >= row[0]) {
                version = row[1];
                break;
            }
        }
        if (target.exact()) {
            needVersion(EXACT_VERSION);
        }
    }

    public Target target() {
        return target;
    }

    /**
     * @param threads of a block, all along x: the assembler plans registers for exactly that many
     * @param registers the most that a thread may take; without a bound the assembler sometimes spills a few to reach a rounder number
     */
    public PtxFunction entry(String name, int threads, int registers) {
        PtxFunction function = new PtxFunction(this, name, threads, registers);
        functions.add(function);
        return function;
    }

    /** Raises the version where an instruction needs it (70 for 7.0). */
    void needVersion(int needed) {
        version = Math.max(version, needed);
    }

    void declareDynamicShared(String name) {
        dynamicShared.add(name);
    }

    public String text() {
        StringBuilder out = new StringBuilder();
        out.append(".version ").append(version / 10).append('.').append(version % 10).append('\n');
        out.append(".target ").append(target).append('\n');
        out.append(".address_size 64\n");
        for (String name : dynamicShared) {
            out.append(".extern .shared .align 16 .b8 ").append(name).append("[];\n");
        }
        for (PtxFunction function : functions) {
            out.append('\n').append(function.text());
        }
        return out.toString();
    }
}
