package kiln.kernels.emulator;

import java.util.List;
import java.util.Map;
import java.util.Set;

/** Parsed and decoded PTX text. Immutable; may be launched on any number of emulators. */
public final class PtxModule {
    private final Map<String, PtxKernel> kernels;
    private final List<Variable> variables;
    private final String target;

    PtxModule(Map<String, PtxKernel> kernels, List<Variable> variables, String target) {
        this.kernels = Map.copyOf(kernels);
        this.variables = List.copyOf(variables);
        this.target = target;
    }

    /** Parses PTX text as a driver would get it; anything unknown is a {@link PtxException} that names the line. */
    public static PtxModule parse(String ptx) {
        return new PtxParser(ptx).parse();
    }

    public PtxKernel kernel(String entry) {
        PtxKernel kernel = kernels.get(entry);
        if (kernel == null) {
            throw new IllegalArgumentException("module: no entry " + entry + "; it has " + kernels.keySet());
        }
        return kernel;
    }

    public boolean hasKernel(String entry) {
        return kernels.containsKey(entry);
    }

    public Set<String> kernelNames() {
        return kernels.keySet();
    }

    /** The text's {@code .target}, such as sm_80. */
    public String target() {
        return target;
    }

    /** Of the {@code .target}, times ten: 80 for sm_80. */
    int targetCapability() {
        return Integer.parseInt(target.replaceAll("\\D", ""));
    }

    /** Variables in global and constant memory. */
    List<Variable> variables() {
        return variables;
    }
}
