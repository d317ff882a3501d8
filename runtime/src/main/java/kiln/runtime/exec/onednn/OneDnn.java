package kiln.runtime.exec.onednn;

import java.lang.reflect.Field;
import java.util.Locale;
import kiln.runtime.base.NativeLoading;
import org.bytedeco.dnnl.dnnl_engine;
import org.bytedeco.dnnl.dnnl_stream;
import org.bytedeco.dnnl.global.dnnl;

/**
 * The one place where the oneDNN library is loaded: lazily, once a process, and a failure is remembered with its reason.
 *
 * <p>OpenMP reads its number of threads from {@code OMP_NUM_THREADS} when it is loaded; the start script sets it.
 */
public final class OneDnn {
    private OneDnn() {}

    /** Why the library cannot be used here; {@code null} when it can. Loads it. */
    public static String unavailableBecause() {
        return Holder.FAILURE;
    }

    /** Whether this CPU multiplies bf16 in hardware. */
    public static boolean hasBf16() {
        return includes(dnnl.dnnl_cpu_isa_avx512_core_bf16);
    }

    /** Whether oneDNN computes in bf16 here at all: with AVX-512 it does so, slowly, also without instructions for it. */
    public static boolean computesBf16() {
        return includes(dnnl.dnnl_cpu_isa_avx512_core);
    }

    /** Newer instruction sets have other names and hold the bits of those that they include. */
    private static boolean includes(int isa) {
        return Holder.FAILURE == null && (Holder.ISA & isa) == isa;
    }

    /** The instruction set that oneDNN uses here, such as "avx512_core_bf16". */
    public static String instructionSet() {
        return Holder.ISA_NAME;
    }

    public static String version() {
        return dnnl.DNNL_VERSION_MAJOR + "." + dnnl.DNNL_VERSION_MINOR + "." + dnnl.DNNL_VERSION_PATCH;
    }

    static dnnl_engine engine() {
        return Holder.ENGINE;
    }

    static dnnl_stream stream() {
        return Holder.STREAM;
    }

    static void check(int status, String what) {
        if (status == dnnl.dnnl_success) {
            return;
        }
        if (status == dnnl.dnnl_out_of_memory) {
            throw new OutOfMemoryError("oneDNN: out of memory in " + what);
        }
        throw new OneDnnException(what, status);
    }

    /** Loaded on first use. The engine and the stream live as long as the process. */
    private static final class Holder {
        static final String FAILURE;
        static final int ISA;
        static final String ISA_NAME;
        static final dnnl_engine ENGINE;
        static final dnnl_stream STREAM;

        static {
            NativeLoading.prepare();
            String failure = null;
            int isa = 0;
            String isaName = "none";
            dnnl_engine engine = null;
            dnnl_stream stream = null;
            try {
                engine = new dnnl_engine();
                stream = new dnnl_stream();
                check(dnnl.dnnl_engine_create(engine, dnnl.dnnl_cpu, 0), "creating the CPU engine");
                check(dnnl.dnnl_stream_create(stream, engine, dnnl.dnnl_stream_default_flags), "creating a stream");
                isa = dnnl.dnnl_get_effective_cpu_isa();
                isaName = isaName(isa);
            } catch (LinkageError | RuntimeException e) {
                failure = hasNatives()
                        ? "oneDNN does not load on this machine (" + e.toString().lines().findFirst().orElse("no reason given") + ")"
                        : "oneDNN's native library is not among Kiln's jars (kiln bundle --with-cpu-natives packs it)";
            }
            ENGINE = engine;
            STREAM = stream;
            FAILURE = failure;
            ISA = isa;
            ISA_NAME = isaName;
        }

        private static boolean hasNatives() {
            return Holder.class.getResource("/org/bytedeco/dnnl/linux-x86_64/libjnidnnl.so") != null;
        }

        private static String isaName(int isa) {
            for (Field field : dnnl.class.getFields()) {
                String name = field.getName();
                if (name.startsWith("dnnl_cpu_isa_") && !name.endsWith("default")) {
                    try {
                        if (field.getInt(null) == isa) {
                            return name.substring("dnnl_cpu_isa_".length()).toLowerCase(Locale.ROOT);
                        }
                    } catch (IllegalAccessException e) {
                        return "unknown";
                    }
                }
            }
            return "unknown";
        }
    }
}
