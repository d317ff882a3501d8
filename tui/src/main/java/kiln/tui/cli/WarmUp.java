package kiln.tui.cli;

import java.io.OutputStream;
import java.io.PrintStream;
import java.util.List;
import kiln.runtime.engine.Engine;
import kiln.runtime.job.GenerationRequest;
import kiln.tui.cli.base.CliContext;
import kiln.tui.cli.options.DeviceFlags;
import kiln.tui.cli.options.GlobalOptions;
import kiln.tui.cli.reports.OutputTarget;
import kiln.tui.cli.reports.Txt2imgReport;
import kiln.tui.view.TerminalUi;

/**
 * Does what usual starts do, a small picture in memory included, and ends: the start script lets Java archive the classes that were
 * loaded, and later starts read the archive. Nothing is shown or kept; a failure means a slower start, nothing else.
 */
final class WarmUp {
    private static final List<String[]> STARTS = List.of(
            new String[] {"--help"},
            new String[] {"version", "--json"},
            new String[] {"txt2img", "--help"},
            new String[] {"models"});
    private static final int SIDE = 64;

    private WarmUp() {}

    static int run(CliContext context) {
        PrintStream nowhere = new PrintStream(OutputStream.nullOutputStream());
        CliContext silent = new CliContext(
                context.in(), nowhere, () -> null, nowhere, false, false, false, context.columns(), context.environment(),
                context.cancellation(), context.home());
        for (String[] start : STARTS) {
            Cli.run(start, silent);
        }
        TerminalUi.loadClasses();
        draw(silent);
        return 0;
    }

    private static void draw(CliContext context) {
        GlobalOptions options = new GlobalOptions();
        try (Engine engine = new Engine(options.engineOptions(options.places(context), null, new DeviceFlags()))) {
            GenerationRequest request = GenerationRequest.builder()
                    .model(engine.options().demoModel())
                    .prompt("warm-up")
                    .steps(1)
                    .width(SIDE)
                    .height(SIDE)
                    .build();
            engine.submit(request, new Txt2imgReport(context, OutputTarget.nowhere(), false, false)).await();
        }
    }
}
