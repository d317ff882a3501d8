package kiln.tui.cli.commands;

import kiln.runtime.base.Version;
import kiln.tui.cli.base.CliContext;
import kiln.tui.cli.base.Json;
import picocli.CommandLine;
import picocli.CommandLine.Option;

/** {@code kiln version}. */
@CommandLine.Command(name = "version", description = "Versions of Kiln and of Java.")
final class VersionCommand extends CliCommand {
    @Option(names = "--json", description = "{\"version\", \"java\", \"javaVendor\", \"os\", \"arch\"}")
    boolean json;

    VersionCommand(CliContext context) {
        super(context);
    }

    @Override
    public int run() {
        String java = System.getProperty("java.runtime.version");
        String vendor = System.getProperty("java.vendor");
        String os = System.getProperty("os.name") + " " + System.getProperty("os.version");
        String arch = System.getProperty("os.arch");
        if (json) {
            Json.print(context.out(), out -> {
                out.writeStartObject();
                out.writeStringField("version", Version.TEXT);
                out.writeStringField("java", java);
                out.writeStringField("javaVendor", vendor);
                out.writeStringField("os", os);
                out.writeStringField("arch", arch);
                out.writeEndObject();
            });
        } else {
            context.out().println("kiln " + Version.TEXT);
            context.out().println("Java " + java + " (" + vendor + "), " + os + " " + arch);
        }
        return 0;
    }
}
