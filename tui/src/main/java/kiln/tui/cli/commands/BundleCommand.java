package kiln.tui.cli.commands;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import kiln.runtime.base.KilnException;
import kiln.tui.bundle.Bundle;
import kiln.tui.cli.base.CliContext;
import kiln.tui.cli.base.Failures;
import kiln.tui.cli.base.Json;
import kiln.tui.cli.base.Quantities;
import picocli.CommandLine;
import picocli.CommandLine.Option;

/** {@code kiln bundle}: one archive with Kiln and its own Java. */
@CommandLine.Command(
        name = "bundle",
        description = "Make a tar.gz with Kiln and its own trimmed Java, for machines that have only a graphics driver: it runs after tar x.")
final class BundleCommand extends CliCommand {
    @Option(
            names = {"-o", "--output"},
            paramLabel = "FILE",
            description = "Default: kiln-VERSION-SYSTEM.tar.gz in this folder.")
    Path output;

    @Option(
            names = "--with-cpu-natives",
            description = "With oneDNN, the fast way to compute on a CPU (27 MB). Without it a machine that has no card computes in plain Java.")
    boolean withCpuNatives;

    @Option(names = "--without-demo", description = "Without the demo model (27 MB).")
    boolean withoutDemo;

    @Option(names = "--json", description = "{\"file\", \"bytes\", \"java\", \"modules\", \"glibc\"}")
    boolean json;

    BundleCommand(CliContext context) {
        super(context);
    }

    @Override
    public int run() {
        Path home = global.places(context).home();
        if (home == null) {
            throw new KilnException(KilnException.Category.NOT_FOUND, "Kiln's own folder is unknown: start it by its script, ./kiln bundle");
        }
        Path file = output == null ? Path.of(Bundle.name() + ".tar.gz") : output;
        if (Files.isDirectory(file)) {
            throw KilnException.badRequest(file + " is a folder: name the archive, as -o " + file.resolve(Bundle.name() + ".tar.gz"));
        }
        Bundle bundle = new Bundle(home, Path.of(System.getProperty("java.home")), withCpuNatives, !withoutDemo);
        Bundle.Result result;
        try {
            result = bundle.write(file, what -> {
                if (context.errIsTty()) {
                    context.err().println(what + "…");
                }
            });
        } catch (IOException e) {
            throw Failures.of(e, file);
        }
        String java = System.getProperty("java.runtime.version");
        if (json) {
            Json.print(context.out(), out -> {
                out.writeStartObject();
                out.writeStringField("file", result.file().toString());
                out.writeNumberField("bytes", result.bytes());
                out.writeStringField("java", java);
                out.writeArrayFieldStart("modules");
                for (String module : result.modules()) {
                    out.writeString(module);
                }
                out.writeEndArray();
                out.writeStringField("glibc", result.glibc());
                out.writeEndObject();
            });
            return 0;
        }
        context.out().println(result.file() + ": " + Quantities.bytes(result.bytes()) + ", Java " + java);
        if (result.glibc() != null) {
            context.out().println("runs where the C library is glibc " + result.glibc() + " or newer; that is this JDK's need, others differ");
        }
        return 0;
    }
}
