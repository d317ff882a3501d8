package kiln.tui.cli;

import java.io.IOException;
import java.nio.file.Path;
import kiln.kernels.cases.KernelFiles;
import kiln.runtime.base.KilnException;
import picocli.CommandLine;
import picocli.CommandLine.Option;

/** {@code kiln kernels}: the PTX that would run on a card, and small cases of it for other programs. */
@CommandLine.Command(
        name = "kernels",
        description = "Write the CUDA kernels' PTX, or small cases of them that any other program can replay.")
final class KernelsCommand extends Command {
    @Option(names = "--dump", paramLabel = "DIR", description = "Write every variant's PTX into this folder.")
    Path dump;

    @Option(names = "--cases", paramLabel = "DIR", description = "Write a folder with case.json, PTX and raw buffers for every case.")
    Path cases;

    KernelsCommand(CliContext context) {
        super(context);
    }

    @Override
    int run() {
        if (dump == null && cases == null) {
            throw KilnException.badRequest("nothing to do: say --dump DIR or --cases DIR");
        }
        if (dump != null) {
            write(dump, "texts", KernelFiles::dump);
        }
        if (cases != null) {
            write(cases, "cases", KernelFiles::writeCases);
        }
        return 0;
    }

    private void write(Path folder, String what, Writer writer) {
        try {
            context.out().println(writer.write(folder) + " " + what + " written to " + folder);
        } catch (IOException e) {
            throw new KilnException(
                    KilnException.Category.STORAGE, "cannot write to " + folder + " (" + e.getMessage() + "): name another folder", e);
        }
    }

    private interface Writer {
        int write(Path folder) throws IOException;
    }
}
