package kiln.kernels.cases;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.stream.Collectors;
import kiln.kernels.Kernel;
import kiln.kernels.KernelCall;

/**
 * Writes kernels and their cases as files.
 *
 * <p>A case is a folder with {@code case.json}, a {@code .ptx} for each kernel, and raw little-endian {@code .bin} files: what any program
 * needs to replay it, on a card or in an emulator.
 */
public final class KernelFiles {
    private KernelFiles() {}

    /** Writes the kernels' texts, one file each; returns how many. */
    public static int dump(List<Kernel> kernels, Path folder) throws IOException {
        Files.createDirectories(folder);
        for (Kernel kernel : kernels) {
            Files.writeString(folder.resolve(fileName(kernel.name() + " " + kernel.variant()) + ".ptx"), kernel.ptx());
        }
        return kernels.size();
    }

    /** Writes a folder for each of the kernels' cases; returns how many. */
    public static int writeCases(List<Kernel> kernels, Path folder) throws IOException {
        int count = 0;
        for (Kernel kernel : kernels) {
            for (KernelCase each : KernelCases.of(kernel)) {
                write(each, folder.resolve(fileName(each.toString())));
                count++;
            }
        }
        return count;
    }

    /** Lower case letters, digits and a few signs, so that any shell and file system takes it. */
    static String fileName(String text) {
        return text.toLowerCase(Locale.ROOT).replaceAll("[^a-z0-9+_]+", "-");
    }

    static void write(KernelCase kernelCase, Path folder) throws IOException {
        Files.createDirectories(folder);
        List<String> buffers = new ArrayList<>();
        for (KernelCase.Buffer buffer : kernelCase.buffers()) {
            buffers.add(quoted(buffer.name()) + ": " + describe(kernelCase, buffer));
            if (buffer.values() != null) {
                Files.write(folder.resolve(buffer.name() + ".bin"), buffer.type().encode(buffer.values()));
            }
            if (buffer.expected() != null) {
                Files.write(folder.resolve(buffer.name() + ".expected.bin"), buffer.type().encode(buffer.expected()));
            }
        }
        List<String> launches = new ArrayList<>();
        for (KernelCall call : kernelCase.calls()) {
            launches.add(describe(kernelCase, call));
            Files.writeString(folder.resolve(call.kernel().name() + ".ptx"), call.kernel().ptx());
        }
        String json = "{\"kernel\": " + quoted(kernelCase.kernel().name()) + ", \"variant\": "
                + quoted(kernelCase.kernel().variant() + ", " + kernelCase.size()) + ", \"target\": " + quoted(kernelCase.target().toString())
                + ",\n \"buffers\": {" + String.join(",\n             ", buffers) + "},\n \"launches\": ["
                + String.join(",\n              ", launches) + "]}\n";
        Files.writeString(folder.resolve("case.json"), json);
    }

    private static String describe(KernelCase kernelCase, KernelCase.Buffer buffer) {
        StringBuilder out = new StringBuilder("{\"dtype\": ").append(quoted(buffer.type().label()));
        out.append(", \"shape\": ").append(buffer.shape());
        if (buffer.values() != null) {
            out.append(", \"file\": ").append(quoted(buffer.name() + ".bin"));
        }
        if (buffer.expected() != null) {
            out.append(", \"expected\": ").append(quoted(buffer.name() + ".expected.bin"));
            out.append(", \"absolute\": ").append(kernelCase.absolute()).append(", \"relative\": ").append(kernelCase.relative());
        }
        return out.append('}').toString();
    }

    private static String describe(KernelCase kernelCase, KernelCall call) {
        String arguments = call.arguments().stream().map(argument -> argument(kernelCase, argument)).collect(Collectors.joining(", "));
        return "{\"ptx\": " + quoted(call.kernel().name() + ".ptx") + ", \"entry\": " + quoted(call.kernel().name()) + ", \"grid\": ["
                + call.gridX() + ", " + call.gridY() + ", " + call.gridZ() + "], \"block\": [" + call.kernel().threads()
                + ", 1, 1], \"sharedBytes\": " + call.kernel().dynamicSharedBytes() + ", \"arguments\": [" + arguments + "]}";
    }

    private static String argument(KernelCase kernelCase, Object argument) {
        if (argument instanceof Long symbol) {
            if (KernelCase.offsetOf(symbol) != 0) {
                throw new IllegalArgumentException(kernelCase + ": an argument inside a buffer cannot be written");
            }
            return "{\"buffer\": " + quoted(kernelCase.buffers().get(KernelCase.bufferOf(symbol)).name()) + "}";
        }
        return argument instanceof Integer ? "{\"i32\": " + argument + "}" : "{\"f32\": " + argument + "}";
    }

    /** Names of ours only: nothing in them needs escaping. */
    private static String quoted(String text) {
        return '"' + text + '"';
    }
}
