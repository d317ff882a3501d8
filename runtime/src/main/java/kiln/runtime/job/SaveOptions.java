package kiln.runtime.job;

import java.util.Map;
import java.util.Objects;

/**
 * How pictures and grids are named and kept: A1111's options of its page "Saving images/grids".
 *
 * @param folderPattern of the folders that pictures go into; "" puts all into one
 * @param namePattern what follows the number; "" for the seed, and where there are no folders the prompt as well
 * @param numbered whether names begin with a running number
 * @param unixNames replace no more than file systems of Unix refuse
 * @param longestPart characters that one part of a name may have
 * @param promptWords how many words [prompt_words] takes
 * @param grid whether several pictures of a job are also saved as one
 * @param gridOfOne whether a single picture is, too
 * @param gridRows of a grid: -1 square, 0 one for each batch
 * @param gridFilled whether a grid of no rows of its own may be longer for the sake of places that are all filled
 * @param gridFolders whether grids lie in folders like pictures
 * @param gridNames whether a grid's name has what a picture's has
 * @param gridBackground 0xRRGGBB, as are the next
 * @param gridActive captions
 * @param gridInactive captions that do not hold
 */
public record SaveOptions(
        String folderPattern,
        String namePattern,
        boolean numbered,
        boolean unixNames,
        int longestPart,
        int promptWords,
        boolean grid,
        boolean gridOfOne,
        int gridRows,
        boolean gridFilled,
        boolean gridFolders,
        boolean gridNames,
        int gridBackground,
        int gridActive,
        int gridInactive) {
    private static final int USUAL_PART = 128;

    /** A1111's defaults. */
    public static final SaveOptions USUAL = of(Map.of());

    public SaveOptions {
        Objects.requireNonNull(folderPattern, "folderPattern");
        Objects.requireNonNull(namePattern, "namePattern");
        longestPart = Math.max(1, longestPart);
        promptWords = Math.max(1, promptWords);
    }

    /**
     * Those of these names in {@code config.json}; what is missing or of another kind is as usual.
     *
     * @param config numbers, booleans, strings
     */
    public static SaveOptions of(Map<String, ?> config) {
        String folders = text(config, "directories_filename_pattern", "[date]");
        return new SaveOptions(
                flag(config, "save_to_dirs", true) ? folders.isBlank() ? "[prompt_words]" : folders : "",
                text(config, "samples_filename_pattern", ""),
                flag(config, "save_images_add_number", true),
                false,
                USUAL_PART,
                number(config, "directories_max_prompt_words", 8),
                flag(config, "grid_save", true),
                !flag(config, "grid_only_if_multiple", true),
                number(config, "n_rows", -1),
                flag(config, "grid_prevent_empty_spots", false),
                flag(config, "grid_save_to_dirs", true),
                flag(config, "grid_extended_filename", false),
                colour(config, "grid_background_color", 0xffffff),
                colour(config, "grid_text_active_color", 0x000000),
                colour(config, "grid_text_inactive_color", 0x999999));
    }

    /** The pattern of names that {@link #namePattern} stands for. */
    public String names() {
        return !namePattern.isEmpty() ? namePattern : folderPattern.isEmpty() ? "[seed]-[prompt_spaces]" : "[seed]";
    }

    public SaveOptions withPatterns(String folders, String names) {
        return new SaveOptions(
                folders, names, numbered, unixNames, longestPart, promptWords, grid, gridOfOne, gridRows, gridFilled, gridFolders, gridNames,
                gridBackground, gridActive, gridInactive);
    }

    /** What names may have in them. */
    public SaveOptions withLimits(boolean unix, int longest) {
        return new SaveOptions(
                folderPattern, namePattern, numbered, unix, longest, promptWords, grid, gridOfOne, gridRows, gridFilled, gridFolders,
                gridNames, gridBackground, gridActive, gridInactive);
    }

    public SaveOptions withGrid(boolean wanted) {
        return new SaveOptions(
                folderPattern, namePattern, numbered, unixNames, longestPart, promptWords, wanted, gridOfOne, gridRows, gridFilled,
                gridFolders, gridNames, gridBackground, gridActive, gridInactive);
    }

    private static boolean flag(Map<String, ?> config, String name, boolean usual) {
        return config.get(name) instanceof Boolean value ? value : usual;
    }

    private static String text(Map<String, ?> config, String name, String usual) {
        return config.get(name) instanceof String value ? value : usual;
    }

    private static int number(Map<String, ?> config, String name, int usual) {
        return config.get(name) instanceof Number value ? value.intValue() : usual;
    }

    /** "#ffffff" or "#fff". */
    private static int colour(Map<String, ?> config, String name, int usual) {
        String text = text(config, name, "").strip();
        if (text.matches("#[0-9a-fA-F]{3}")) {
            text = text.replaceAll("([0-9a-fA-F])", "$1$1");
        }
        return text.matches("#[0-9a-fA-F]{6}") ? Integer.parseInt(text.substring(1), 16) : usual;
    }
}
