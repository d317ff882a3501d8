package kiln.runtime.text;

import java.util.Arrays;
import java.util.Optional;

/** What the weights of a prompt's brackets do, by A1111's names. */
public enum EmphasisMode {
    /** Tokens are multiplied, then all is scaled so that the mean stays. */
    ORIGINAL("Original"),
    /** Tokens are multiplied. */
    NO_NORM("No norm"),
    /** Brackets are read and have no effect. */
    IGNORE("Ignore"),
    /** Brackets and BREAK are text. */
    NONE("None");

    private final String label;

    EmphasisMode(String label) {
        this.label = label;
    }

    /** As settings and pictures' parameters write it. */
    public String label() {
        return label;
    }

    /** The mode of a label, whatever its case. */
    public static Optional<EmphasisMode> find(String label) {
        return Arrays.stream(values()).filter(mode -> mode.label.equalsIgnoreCase(label.strip())).findFirst();
    }
}
