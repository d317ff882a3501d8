package kiln.kernels.cases;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.HexFormat;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Function;
import kiln.kernels.Kernel;
import kiln.kernels.SharedMemoryLimits;

/**
 * What NVIDIA's assembler says of kernels on the cards that run them. It says the same of the same text every time, so what it said is kept
 * in a resource under the text's digest, and only texts that are new there are assembled: on all cores, each text once for each capability.
 *
 * <p>The resource has the assembler's version in its first line (of another one, nothing that was kept counts), then a line for each text:
 * {@code digest capability:registers:sharedBytes …}. Texts that spill are not kept.
 */
public final class AssembledKernels {
    private static final int REGISTERS_OF_A_CARD = 64 << 10;
    private static final String VERSION = "assembler of JCuda ";
    private static final int DIGEST_BYTES = 16;

    private final Map<String, Map<Integer, PtxAssembler.Usage>> usages = new TreeMap<>();

    private AssembledKernels() {}

    /**
     * @param capabilities of the cards that a kernel is for
     * @param resource of what was said before, beside the class; where something was new, {@code target} gets one to put in its place
     */
    public static AssembledKernels of(
            Collection<? extends Kernel> kernels,
            Function<Kernel, ? extends Collection<Integer>> capabilities,
            Class<?> place,
            String resource)
            throws IOException {
        PtxAssembler.load();
        String version = VERSION + PtxAssembler.version();
        Map<String, Map<Integer, PtxAssembler.Usage>> kept = read(version, place, resource);
        AssembledKernels assembled = new AssembledKernels();
        Map<String, String> texts = new HashMap<>();
        Set<Map.Entry<String, Integer>> wanted = new LinkedHashSet<>();
        for (Kernel kernel : kernels) {
            String ptx = kernel.ptx();
            String digest = digest(ptx);
            texts.put(digest, ptx);
            Map<Integer, PtxAssembler.Usage> known = assembled.usages.computeIfAbsent(digest, key -> new ConcurrentHashMap<>());
            for (int capability : capabilities.apply(kernel)) {
                PtxAssembler.Usage before = kept.getOrDefault(digest, Map.of()).get(capability);
                if (before != null) {
                    known.put(capability, before);
                } else {
                    wanted.add(Map.entry(digest, capability));
                }
            }
        }
        wanted.parallelStream().forEach(each -> assembled.usages
                .get(each.getKey())
                .put(each.getValue(), PtxAssembler.assemble(texts.get(each.getKey()), each.getValue())));
        if (!wanted.isEmpty()) {
            Path file = Path.of("target", resource);
            Files.write(file, assembled.lines(version));
            System.out.println(wanted.size() + " texts were assembled: put " + file + " among the resources of " + place.getName());
        }
        return assembled;
    }

    /** What is wrong with a kernel, in words; nothing as a rule. */
    public List<String> faults(Kernel kernel) {
        List<String> faults = new ArrayList<>();
        if (kernel.registerBudget() * kernel.threads() > REGISTERS_OF_A_CARD) {
            faults.add(name(kernel) + ": a block may take " + kernel.registerBudget() * kernel.threads() + " registers");
        }
        Map<Integer, PtxAssembler.Usage> all = usages.get(digest(kernel.ptx()));
        all.forEach((capability, usage) -> {
            String what = name(kernel) + " on sm_" + capability + ": ";
            if (usage.spillBytes() > 0) {
                faults.add(what + usage.spillBytes() + " bytes spilled");
            }
            if (usage.registers() > kernel.registerBudget()) {
                faults.add(what + usage.registers() + " registers, " + kernel.registerBudget() + " allowed");
            }
            if (usage.sharedBytes() > SharedMemoryLimits.STATIC_BYTES
                    || usage.sharedBytes() + kernel.dynamicSharedBytes() > SharedMemoryLimits.ofBlock(capability)) {
                faults.add(what + usage.sharedBytes() + " static shared bytes and " + kernel.dynamicSharedBytes() + " others");
            }
        });
        return faults;
    }

    private static String name(Kernel kernel) {
        return kernel.name() + " " + kernel.variant();
    }

    private static Map<String, Map<Integer, PtxAssembler.Usage>> read(String version, Class<?> place, String resource) throws IOException {
        Map<String, Map<Integer, PtxAssembler.Usage>> kept = new HashMap<>();
        try (InputStream in = place.getResourceAsStream(resource)) {
            if (in == null) {
                return kept;
            }
            BufferedReader lines = new BufferedReader(new InputStreamReader(in, StandardCharsets.UTF_8));
            if (!version.equals(lines.readLine())) {
                return kept;
            }
            for (String line = lines.readLine(); line != null; line = lines.readLine()) {
                String[] words = line.split(" ");
                Map<Integer, PtxAssembler.Usage> usages = new HashMap<>();
                for (int i = 1; i < words.length; i++) {
                    String[] numbers = words[i].split(":");
                    int registers = Integer.parseInt(numbers[1]);
                    usages.put(Integer.parseInt(numbers[0]), new PtxAssembler.Usage(registers, 0, Integer.parseInt(numbers[2])));
                }
                kept.put(words[0], usages);
            }
        }
        return kept;
    }

    private List<String> lines(String version) {
        List<String> lines = new ArrayList<>(List.of(version));
        usages.forEach((digest, of) -> {
            StringBuilder line = new StringBuilder(digest);
            new TreeMap<>(of).forEach((capability, usage) -> {
                if (usage.spillBytes() == 0) {
                    line.append(' ').append(capability).append(':').append(usage.registers()).append(':').append(usage.sharedBytes());
                }
            });
            lines.add(line.toString());
        });
        return lines;
    }

    private static String digest(String ptx) {
        try {
            byte[] whole = MessageDigest.getInstance("SHA-256").digest(ptx.getBytes(StandardCharsets.UTF_8));
            return HexFormat.of().formatHex(whole, 0, DIGEST_BYTES);
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every Java has SHA-256", e);
        }
    }
}
