package kiln.weights;

import java.util.List;

/**
 * What a pickle holds beside tensors and plain values. Nothing of it was run or built.
 *
 * @param values names of what was passed over, each with the Python name of what would make it: {@code ema (my.Average)}; at most
 *     {@value #MAX_LISTED}
 * @param valueCount how many there are in all
 * @param code Python names in the file that are no part of plain weights, as {@code os.system}: what loading it in Python would call or build;
 *     at most {@value #MAX_LISTED}
 * @param codeCount how many there are in all
 */
public record UnreadValues(List<String> values, int valueCount, List<String> code, int codeCount) {
    /** How many of each are told. */
    public static final int MAX_LISTED = 20;

    static final UnreadValues NONE = new UnreadValues(List.of(), 0, List.of(), 0);

    public UnreadValues {
        values = List.copyOf(values);
        code = List.copyOf(code);
    }
}
