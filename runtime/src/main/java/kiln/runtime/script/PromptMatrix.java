package kiln.runtime.script;

import java.util.ArrayList;
import java.util.List;
import kiln.runtime.base.KilnException;
import kiln.runtime.job.GenerationRequest;

/**
 * A prompt matrix: "a|b|c" stands for "a", "a, b", "a, c" and "a, b, c". Bit i of a combination's number says whether it has part i + 1.
 *
 * @param parts between the bars, the first of which all combinations have
 * @param requests one of each combination, each a single picture
 */
public record PromptMatrix(List<String> parts, List<GenerationRequest> requests) {
    private static final int MOST_PARTS = 13;

    /**
     * What A1111's page has.
     *
     * @param ofNegative whether the negative prompt is the one with the bars
     * @param partsFirst whether the first part stands last
     * @param differentSeeds whether each combination has the next seed
     * @param delimiter ", " or " "
     */
    public record Options(boolean ofNegative, boolean partsFirst, boolean differentSeeds, String delimiter) {
        public static final Options USUAL = new Options(false, false, false, ", ");
    }

    public PromptMatrix {
        parts = List.copyOf(parts);
        requests = List.copyOf(requests);
    }

    /**
     * @param base with its seed, which is not drawn here
     * @throws KilnException {@code BAD_REQUEST} when there are too many parts
     */
    public static PromptMatrix of(GenerationRequest base, Options options) {
        List<String> parts = List.of((options.ofNegative ? base.negativePrompt() : base.prompt()).split("\\|", -1));
        if (parts.size() > MOST_PARTS) {
            throw KilnException.badRequest(
                    "the prompt has " + parts.size() + " parts between its bars: at most " + MOST_PARTS + " are taken");
        }
        List<GenerationRequest> requests = new ArrayList<>();
        for (int combination = 0; combination < 1 << parts.size() - 1; combination++) {
            List<String> chosen = new ArrayList<>();
            for (int i = 1; i < parts.size(); i++) {
                if ((combination & 1 << i - 1) != 0) {
                    chosen.add(parts.get(i).strip().replaceAll("^,+|,+$", ""));
                }
            }
            chosen.add(options.partsFirst ? chosen.size() : 0, parts.get(0));
            String text = String.join(options.delimiter, chosen);
            GenerationRequest.Builder request = base.toBuilder().batchSize(1).batchCount(1);
            request = options.ofNegative ? request.negativePrompt(text) : request.prompt(text);
            requests.add(request.seed(options.differentSeeds ? base.seed() + combination : base.seed()).build());
        }
        return new PromptMatrix(parts, requests);
    }

    /** Parts that change from column to column; the others change from row to row. */
    private int across() {
        return parts.size() / 2;
    }

    /** How many rows its grid has. */
    public int rows() {
        return 1 << parts.size() - 1 - across();
    }

    /** The variable parts, of which those that a column has are marked. */
    public List<List<Mark>> columnMarks() {
        return marks(parts.subList(1, 1 + across()));
    }

    /** The same for the rows. */
    public List<List<Mark>> rowMarks() {
        return marks(parts.subList(1 + across(), parts.size()));
    }

    /** @param active whether the prompt has it */
    public record Mark(String text, boolean active) {}

    private static List<List<Mark>> marks(List<String> texts) {
        List<List<Mark>> all = new ArrayList<>();
        for (int combination = 0; combination < 1 << texts.size(); combination++) {
            List<Mark> marks = new ArrayList<>();
            for (int i = 0; i < texts.size(); i++) {
                marks.add(new Mark(texts.get(i), (combination & 1 << i) != 0));
            }
            all.add(marks);
        }
        return all;
    }
}
