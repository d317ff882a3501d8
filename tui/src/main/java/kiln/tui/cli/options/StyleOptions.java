package kiln.tui.cli.options;

import java.util.ArrayList;
import java.util.List;
import kiln.runtime.job.GenerationRequest;
import kiln.runtime.text.Style;
import kiln.runtime.text.Styles;
import picocli.CommandLine.Option;

/** Which styles are added to the prompts. */
public final class StyleOptions {
    @Option(names = {"--style", "--styles"}, paramLabel = "NAME", description = "Add a style of styles.csv (repeatable): see kiln styles.")
    List<String> names = new ArrayList<>();

    /**
     * Adds them, in the order in which they were given.
     *
     * @param infoTextStyles A1111's option of that name: what becomes of styles that are recognised in a picture's prompts
     * @param pasted whether the prompts are such a picture's
     * @throws kiln.runtime.base.KilnException when there is no style of a name
     */
    public void apply(GenerationRequest.Builder request, Styles styles, String infoTextStyles, boolean pasted) {
        names.forEach(styles::named);
        GenerationRequest asked = request.build();
        Style.Prompts prompts = new Style.Prompts(asked.prompt(), asked.negativePrompt());
        boolean discards = infoTextStyles.equals("Discard");
        if (pasted && !infoTextStyles.equals("Ignore") && (discards || !names.isEmpty())) {
            // Else those that are recognised would be added again.
            prompts = styles.recognise(prompts).prompts();
        }
        prompts = styles.apply(prompts, names);
        request.prompt(prompts.prompt()).negativePrompt(prompts.negativePrompt());
    }
}
