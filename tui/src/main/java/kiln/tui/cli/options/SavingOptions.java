package kiln.tui.cli.options;

import kiln.runtime.job.SaveOptions;
import picocli.CommandLine.Option;

/** How pictures are named; {@code null} where the user said nothing. */
public final class SavingOptions {
    @Option(
            names = "--filename-pattern",
            paramLabel = "PATTERN",
            description = "A1111's, as [seed]-[prompt_words], behind a number. Default: [seed].")
    String namePattern;

    @Option(
            names = "--directory-pattern",
            paramLabel = "PATTERN",
            description = "Folders for them, as [model_name]/[date]; none for \"\". Default: [date].")
    String folderPattern;

    @Option(names = "--grid", negatable = true, description = "Save several pictures as one, too, in txt2img-grids/. Default: so without -o.")
    Boolean grid;

    /** @param placed whether {@code -o} says where pictures go: then there is a grid only when it is asked for */
    public SaveOptions over(SaveOptions saving, boolean placed) {
        return saving.withPatterns(
                        folderPattern == null ? saving.folderPattern() : folderPattern,
                        namePattern == null ? saving.namePattern() : namePattern)
                .withGrid(grid == null ? saving.grid() && !placed : grid);
    }
}
