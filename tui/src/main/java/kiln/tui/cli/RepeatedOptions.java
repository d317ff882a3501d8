package kiln.tui.cli;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Model.OptionSpec;

/**
 * Leaves of an option that was given several times only the last, as A1111 does. picocli would begin the option's whole section of the
 * help anew, and forget what else was said of it: flags in COMMANDLINE_ARGS are often given on the command line as well.
 */
final class RepeatedOptions {
    /** An option with its value, or a word that is none, whose option is {@code null}. */
    private record Piece(OptionSpec option, List<String> words) {}

    private RepeatedOptions() {}

    static List<String> lastOnly(List<String> arguments, CommandSpec command) {
        List<Piece> pieces = new ArrayList<>();
        Map<OptionSpec, Piece> last = new HashMap<>();
        for (int i = 0; i < arguments.size(); i++) {
            String word = arguments.get(i);
            if (word.equals("--")) {
                pieces.add(new Piece(null, arguments.subList(i, arguments.size())));
                break;
            }
            OptionSpec whole = command.optionsMap().get(word);
            boolean valueFollows = whole != null && whole.arity().min() > 0 && i + 1 < arguments.size();
            Piece piece = new Piece(
                    whole != null ? whole : withValue(word, command), valueFollows ? List.of(word, arguments.get(++i)) : List.of(word));
            pieces.add(piece);
            if (piece.option != null) {
                last.put(piece.option, piece);
            }
        }
        List<String> kept = new ArrayList<>();
        for (Piece piece : pieces) {
            if (piece.option == null || piece.option.isMultiValue() || last.get(piece.option) == piece) {
                kept.addAll(piece.words);
            }
        }
        return kept;
    }

    /** The option of "--steps=20" or "-W64". */
    private static OptionSpec withValue(String word, CommandSpec command) {
        if (word.startsWith("--")) {
            int equals = word.indexOf('=');
            return equals < 0 ? null : command.optionsMap().get(word.substring(0, equals));
        }
        OptionSpec option = word.startsWith("-") && word.length() > 2 ? command.optionsMap().get(word.substring(0, 2)) : null;
        return option == null || option.arity().min() == 0 ? null : option;
    }
}
