package kiln.kernels.emulator;

import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;

/** Parsed modules by their text, for all contexts of this JVM: parsing takes far longer than most launches. Any thread. */
final class ModuleCache {
    private static final Map<String, PtxModule> MODULES = new ConcurrentHashMap<>();

    private ModuleCache() {}

    static PtxModule parse(String text) {
        return MODULES.computeIfAbsent(text, PtxModule::parse);
    }
}
