package kiln.kernels.cases;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Objects;
import java.util.Properties;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import jcuda.nvptxcompiler.JNvPTXCompiler;
import jcuda.nvptxcompiler.nvPTXCompileResult;
import jcuda.nvptxcompiler.nvPTXCompilerHandle;

/** NVIDIA's assembler, which is in JCuda's natives and needs neither card nor driver. */
final class PtxAssembler {
    /** What the assembler says of a kernel on one card. */
    record Usage(int registers, int spillBytes, int sharedBytes) {}

    private static final Pattern REGISTERS = Pattern.compile("Used (\\d+) registers");
    private static final Pattern SPILLS = Pattern.compile("(\\d+) bytes spill (?:stores|loads)");
    private static final Pattern SHARED = Pattern.compile("(\\d+) bytes smem");

    private PtxAssembler() {}

    /** JCuda unpacks into the temporary folder: it is given one that nobody else can write. */
    static void load() throws IOException {
        Path folder = Files.createTempDirectory("kiln-ptx-compiler");
        String property = "java.io.tmpdir";
        String before = System.getProperty(property);
        System.setProperty(property, folder.toString());
        try {
            JNvPTXCompiler.setExceptionsEnabled(false);
        } finally {
            System.setProperty(property, before);
            // The library stays mapped.
            try (var files = Files.list(folder)) {
                for (Path file : files.toList()) {
                    Files.delete(file);
                }
            }
            Files.delete(folder);
        }
    }

    /** Of the JCuda that it comes with: what it says of itself is its interface's version. */
    static String version() throws IOException {
        Properties properties = new Properties();
        try (InputStream in = JNvPTXCompiler.class.getResourceAsStream("/META-INF/maven/org.jcuda/jcuda/pom.properties")) {
            properties.load(Objects.requireNonNull(in, "JCuda's properties"));
        }
        return properties.getProperty("version");
    }

    /** @throws AssertionError with the assembler's log and the text when it refuses */
    static Usage assemble(String ptx, int capability) {
        byte[] text = (ptx + "\0").getBytes(StandardCharsets.UTF_8);
        nvPTXCompilerHandle handle = new nvPTXCompilerHandle();
        check(JNvPTXCompiler.nvPTXCompilerCreate(handle, text.length, text), "create");
        try {
            int status = JNvPTXCompiler.nvPTXCompilerCompile(handle, 2, new String[] {"--gpu-name=sm_" + capability, "--verbose"});
            if (status != nvPTXCompileResult.NVPTXCOMPILE_SUCCESS) {
                long[] size = new long[1];
                check(JNvPTXCompiler.nvPTXCompilerGetErrorLogSize(handle, size), "log");
                byte[] log = new byte[(int) size[0] + 1];
                check(JNvPTXCompiler.nvPTXCompilerGetErrorLog(handle, log), "log");
                throw new AssertionError("sm_" + capability + ": " + untilZero(log) + "\n" + numbered(ptx));
            }
            long[] size = new long[1];
            check(JNvPTXCompiler.nvPTXCompilerGetInfoLogSize(handle, size), "log");
            byte[] log = new byte[(int) size[0] + 1];
            check(JNvPTXCompiler.nvPTXCompilerGetInfoLog(handle, log), "log");
            return usage(untilZero(log));
        } finally {
            JNvPTXCompiler.nvPTXCompilerDestroy(handle);
        }
    }

    private static Usage usage(String log) {
        Matcher registers = REGISTERS.matcher(log);
        if (!registers.find()) {
            throw new AssertionError("the assembler names no registers: " + log);
        }
        int spills = 0;
        for (Matcher m = SPILLS.matcher(log); m.find(); ) {
            spills += Integer.parseInt(m.group(1));
        }
        Matcher shared = SHARED.matcher(log);
        return new Usage(Integer.parseInt(registers.group(1)), spills, shared.find() ? Integer.parseInt(shared.group(1)) : 0);
    }

    private static void check(int status, String call) {
        if (status != nvPTXCompileResult.NVPTXCOMPILE_SUCCESS) {
            throw new AssertionError("PTX compiler, " + call + ": " + nvPTXCompileResult.stringFor(status));
        }
    }

    private static String untilZero(byte[] text) {
        String whole = new String(text, StandardCharsets.UTF_8);
        int end = whole.indexOf('\0');
        return end < 0 ? whole : whole.substring(0, end);
    }

    private static String numbered(String text) {
        StringBuilder out = new StringBuilder();
        int line = 0;
        for (String each : text.split("\n")) {
            out.append(++line).append(": ").append(each).append('\n');
        }
        return out.toString();
    }
}
