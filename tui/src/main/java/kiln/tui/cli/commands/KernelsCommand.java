package kiln.tui.cli.commands;

import java.nio.file.Path;
import kiln.runtime.base.KilnException;
import kiln.runtime.check.KernelFolders;
import kiln.tui.cli.base.CliContext;
import picocli.CommandLine;
import picocli.CommandLine.Option;

/** {@code kiln kernels}: the PTX that would run on a card, and small cases of it for other programs. */
@CommandLine.Command(
        name = "kernels",
        description = "Write the CUDA kernels' PTX, or small cases of them that any other program can replay.")
final class KernelsCommand extends CliCommand {
    @Option(names = "--dump", paramLabel = "DIR", description = "Write every variant's PTX into this folder.")
    Path dump;

    @Option(names = "--cases", paramLabel = "DIR", description = "Write a folder with case.json, PTX and raw buffers for every case.")
    Path cases;

    KernelsCommand(CliContext context) {
        super(context);
    }

    @Override
    public int run() {
        if (dump == null && cases == null) {
            throw KilnException.badRequest("nothing to do: say --dump DIR or --cases DIR");
        }
        if (dump != null) {
            told(KernelFolders.writeTexts(dump), "texts", dump);
        }
        if (cases != null) {
            told(KernelFolders.writeCases(cases), "cases", cases);
        }
        return 0;
    }

    private void told(int written, String what, Path folder) {
        context.out().println(written + " " + what + " written to " + folder);
    }
}
