package kiln.tui.cli.commands;

import java.nio.file.Path;
import java.util.List;
import kiln.runtime.engine.ModelPresets;
import kiln.runtime.job.GenerationRequest;
import kiln.tui.cli.base.CliContext;
import kiln.tui.cli.options.InitOptions;
import kiln.tui.cli.options.WebUiFolder;
import picocli.CommandLine;
import picocli.CommandLine.ArgGroup;

/** {@code kiln img2img}: as txt2img, but from a picture. */
@CommandLine.Command(
        name = "img2img",
        description = "Draw pictures from a picture and a prompt.",
        optionListHeading = "%nOptions:%n",
        sortOptions = false)
final class Img2imgCommand extends Txt2imgCommand {
    @ArgGroup(multiplicity = "1", exclusive = false, heading = "%nThe picture to begin from:%n", order = 0)
    InitOptions init = new InitOptions();

    Img2imgCommand(CliContext context) {
        super(context);
    }

    @Override
    String page() {
        return "img2img";
    }

    @Override
    Path outputFolder(WebUiFolder folder) {
        return folder.img2imgFolder();
    }

    @Override
    GenerationRequest.Builder request(ModelPresets presets, GenerationRequest defaults) {
        GenerationRequest.Builder request = super.request(presets, init.startingWith(defaults));
        init.apply(request, picture);
        return request;
    }

    @Override
    public List<String> helpFooter() {
        return List.of(
                "",
                "Without -W and -H the picture's own size is drawn, made smaller where it has more than a megapixel.",
                "",
                "Example: kiln img2img -i sketch.png -p \"flat red heart\" --denoising-strength 0.6 -o heart.png",
                "         kiln img2img -i room.png --mask window.png --inpainting-fill fill -p \"a garden\" -o garden.png");
    }
}
