package kiln.tui.cli.options;

import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import kiln.runtime.base.KilnException;
import kiln.runtime.base.NearestName;
import kiln.runtime.job.GenerationRequest;
import kiln.runtime.job.InitPicture;
import kiln.runtime.job.InitPicture.ResizeMode;
import picocli.CommandLine.Option;

/** The picture to begin from, as options. */
public final class InitOptions {
    private static final double USUAL_STRENGTH = 0.75;

    @Option(names = {"-i", "--init", "--init-image"}, paramLabel = "FILE", required = true, description = "The picture to begin from.")
    Path file;

    @Option(
            names = {"--denoising-strength", "--strength"},
            paramLabel = "X",
            description = "0 keeps the picture, 1 draws anew. Default: 0.75.")
    Double strength;

    @Option(
            names = "--resize-mode",
            paramLabel = "MODE",
            description = "How the picture gets the size: resize (stretched), crop or fill. Default: resize.")
    String resizeMode;

    /** @throws KilnException when the file cannot be read or the mode is none */
    public void apply(GenerationRequest.Builder request) {
        Path readable = GlobalOptions.readable(file, "picture");
        request.init(new InitPicture(readable, strength == null ? USUAL_STRENGTH : strength, mode()));
    }

    private ResizeMode mode() {
        if (resizeMode == null) {
            return ResizeMode.JUST_RESIZE;
        }
        String name = resizeMode.strip().toLowerCase(Locale.ROOT);
        List<String> names = List.of("resize", "crop", "fill");
        for (ResizeMode mode : ResizeMode.values()) {
            if (names.get(mode.ordinal()).equals(name) || mode.label().toLowerCase(Locale.ROOT).equals(name)
                    || Integer.toString(mode.ordinal()).equals(name)) {
                return mode;
            }
        }
        String labels = String.join(", ", Arrays.stream(ResizeMode.values()).map(ResizeMode::label).toList());
        throw KilnException.badRequest("no resize mode is called \"" + name + "\"" + NearestName.hint(name, names) + " (" + labels + ")");
    }
}
