package kiln.runtime.job;

import java.math.BigDecimal;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.StringJoiner;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import kiln.runtime.base.KilnException;
import kiln.runtime.noise.NoiseKind;
import kiln.runtime.sampling.SamplerChoice;

/**
 * The text that says how a picture was made, as A1111 writes it into a PNG's "parameters": the prompt, the negative prompt, and a
 * last line of {@code Key: value} pairs. Immutable.
 *
 * @param parameters the last line's pairs in order, values unquoted, sizes as "512x768"
 */
public record InfoText(String prompt, String negativePrompt, Map<String, String> parameters) {
    /** The PNG keyword that the text lies under. */
    public static final String PNG_KEYWORD = "parameters";

    private static final String NEGATIVE_PROMPT = "Negative prompt:";
    /** A last line with fewer pairs belongs to the prompt. */
    private static final int LEAST_PARAMETERS = 3;
    private static final Pattern SIZE = Pattern.compile("(\\d{1,9})x(\\d{1,9})");

    public InfoText {
        Objects.requireNonNull(prompt, "prompt");
        Objects.requireNonNull(negativePrompt, "negativePrompt");
        parameters = Collections.unmodifiableMap(new LinkedHashMap<>(parameters));
    }

    /**
     * The text of one picture of a request.
     *
     * @param seed this picture's own
     * @param modelName as shown, without folder and ending; {@code null} leaves it out
     * @param modelHash ten hex digits; {@code null} leaves it out
     * @param version the program and its version, "kiln-0.1.0"
     * @throws KilnException {@code BAD_REQUEST} for an unknown sampler or schedule
     */
    public static InfoText of(GenerationRequest request, long seed, String modelName, String modelHash, String version) {
        SamplerChoice choice = SamplerChoice.find(request.sampler(), request.schedule());
        Map<String, String> parameters = new LinkedHashMap<>();
        parameters.put("Steps", Integer.toString(request.steps()));
        parameters.put("Sampler", choice.sampler().label());
        parameters.put("Schedule type", choice.schedule().label());
        parameters.put("CFG scale", number(request.cfgScale()));
        parameters.put("Seed", Long.toString(seed));
        parameters.put("Size", request.width() + "x" + request.height());
        if (modelHash != null) {
            parameters.put("Model hash", modelHash);
        }
        if (modelName != null) {
            parameters.put("Model", modelName);
        }
        if (request.clipSkip() > 1) {
            parameters.put("Clip skip", Integer.toString(request.clipSkip()));
        }
        // A1111's default is the GPU's generator, so both of ours are written.
        parameters.put("RNG", request.noise().kind().name());
        parameters.put("Version", version);
        return new InfoText(request.prompt(), request.negativePrompt(), parameters);
    }

    /** 7 for 7.0, 7.5 for 7.5. */
    static String number(double value) {
        return new BigDecimal(Double.toString(value)).stripTrailingZeros().toPlainString();
    }

    /** The whole text. */
    public String format() {
        StringJoiner pairs = new StringJoiner(", ");
        parameters.forEach((key, value) -> pairs.add(key.equals(value) ? key : key + ": " + quote(value)));
        StringBuilder text = new StringBuilder(prompt);
        if (!negativePrompt.isEmpty()) {
            text.append('\n').append(NEGATIVE_PROMPT).append(' ').append(negativePrompt);
        }
        return text.append('\n').append(pairs).toString();
    }

    /** As a JSON string when it holds a character that would end it, else as it is. */
    private static String quote(String value) {
        if (value.chars().noneMatch(c -> c == ',' || c == '\n' || c == ':')) {
            return value;
        }
        StringBuilder quoted = new StringBuilder("\"");
        for (char c : value.toCharArray()) {
            switch (c) {
                case '"' -> quoted.append("\\\"");
                case '\\' -> quoted.append("\\\\");
                case '\n' -> quoted.append("\\n");
                case '\r' -> quoted.append("\\r");
                case '\t' -> quoted.append("\\t");
                default -> {
                    if (c < ' ') {
                        quoted.append(String.format("\\u%04x", (int) c));
                    } else {
                        quoted.append(c);
                    }
                }
            }
        }
        return quoted.append('"').toString();
    }

    /** Reads any such text: whatever cannot be understood counts as prompt. */
    public static InfoText parse(String text) {
        List<String> lines = new ArrayList<>(Arrays.asList(text.strip().split("\r\n|\n|\r", -1)));
        Map<String, String> parameters = parsePairs(lines.get(lines.size() - 1));
        if (parameters.size() < LEAST_PARAMETERS) {
            parameters = Map.of();
        } else {
            lines.remove(lines.size() - 1);
        }
        StringJoiner prompt = new StringJoiner("\n");
        StringJoiner negative = null;
        for (String line : lines) {
            String stripped = line.strip();
            if (stripped.startsWith(NEGATIVE_PROMPT)) {
                negative = negative == null ? new StringJoiner("\n") : negative;
                stripped = stripped.substring(NEGATIVE_PROMPT.length()).strip();
            }
            (negative == null ? prompt : negative).add(stripped);
        }
        return new InfoText(prompt.toString(), negative == null ? "" : negative.toString(), parameters);
    }

    /**
     * Keys are runs of word characters, spaces, "-" and "/", two at least, before a colon; values are quoted or go up to a comma.
     * Written by hand because regular expressions recurse on long values.
     */
    private static Map<String, String> parsePairs(String line) {
        Map<String, String> pairs = new LinkedHashMap<>();
        int at = 0;
        while (at < line.length()) {
            if (!isWord(line.charAt(at))) {
                at++;
                continue;
            }
            int end = at;
            while (end < line.length() && (isWord(line.charAt(end)) || " -/".indexOf(line.charAt(end)) >= 0)) {
                end++;
            }
            if (end == line.length() || line.charAt(end) != ':' || end - at < 2) {
                at = end;
                continue;
            }
            String key = line.substring(at, end);
            int begin = end + 1;
            while (begin < line.length() && Character.isWhitespace(line.charAt(begin))) {
                begin++;
            }
            int close = closingQuote(line, begin);
            if (close > 0) {
                pairs.put(key, unquote(line, begin + 1, close));
                at = close + 1;
            } else {
                int comma = line.indexOf(',', begin);
                at = comma < 0 ? line.length() : comma;
                pairs.put(key, line.substring(begin, at));
            }
        }
        return pairs;
    }

    private static boolean isWord(char c) {
        return Character.isLetterOrDigit(c) || c == '_';
    }

    /** Where the quoted string that begins at {@code begin} ends, or -1 when none does that a comma or the line's end follows. */
    private static int closingQuote(String line, int begin) {
        if (begin >= line.length() || line.charAt(begin) != '"') {
            return -1;
        }
        for (int i = begin + 1; i < line.length(); i++) {
            if (line.charAt(i) == '\\') {
                i++;
            } else if (line.charAt(i) == '"') {
                return i + 1 == line.length() || line.charAt(i + 1) == ',' ? i : -1;
            }
        }
        return -1;
    }

    private static String unquote(String line, int begin, int end) {
        StringBuilder value = new StringBuilder();
        for (int i = begin; i < end; i++) {
            char c = line.charAt(i);
            if (c == '\\' && i + 1 < end) {
                c = line.charAt(++i);
                switch (c) {
                    case 'n' -> c = '\n';
                    case 'r' -> c = '\r';
                    case 't' -> c = '\t';
                    case 'u' -> {
                        if (i + 4 < end && line.substring(i + 1, i + 5).chars().allMatch(d -> Character.digit(d, 16) >= 0)) {
                            c = (char) Integer.parseInt(line.substring(i + 1, i + 5), 16);
                            i += 4;
                        }
                    }
                    default -> { }
                }
            }
            value.append(c);
        }
        return value.toString();
    }

    /**
     * The request that the text describes, on top of {@code base}: what the text does not say stays as it is there, the model too,
     * which is named by {@code parameters} only. One picture is asked for.
     *
     * <p>An unknown sampler's name is taken over as it is: it is refused where samplers are looked up.
     *
     * @throws KilnException {@code BAD_REQUEST} when a number is none, naming it
     */
    public GenerationRequest.Builder toRequest(GenerationRequest base) {
        GenerationRequest.Builder request = base.toBuilder().prompt(prompt).negativePrompt(negativePrompt).batchSize(1).batchCount(1);
        if (parameters.containsKey("Steps")) {
            request.steps((int) whole("Steps", Integer.MAX_VALUE));
        }
        if (parameters.containsKey("Sampler")) {
            sampler(request, parameters.get("Sampler"), parameters.getOrDefault("Schedule type", "Automatic"));
        }
        if (parameters.containsKey("CFG scale")) {
            request.cfgScale(decimal("CFG scale"));
        }
        if (parameters.containsKey("Seed")) {
            request.seed(whole("Seed", Long.MAX_VALUE));
        }
        if (parameters.containsKey("Size")) {
            Matcher size = SIZE.matcher(parameters.get("Size").strip());
            if (!size.matches()) {
                throw notANumber("Size");
            }
            request.width(Integer.parseInt(size.group(1))).height(Integer.parseInt(size.group(2)));
        }
        if (!parameters.isEmpty()) {
            // What A1111 leaves out has its default value there.
            request.clipSkip(parameters.containsKey("Clip skip") ? (int) whole("Clip skip", Integer.MAX_VALUE) : 1);
            request.noise("CPU".equals(parameters.get("RNG")) ? NoiseKind.CPU : NoiseKind.NV);
        }
        return request;
    }

    private static void sampler(GenerationRequest.Builder request, String sampler, String schedule) {
        try {
            SamplerChoice choice = SamplerChoice.find(sampler, schedule);
            request.sampler(choice.sampler().label()).schedule(choice.schedule().label());
        } catch (KilnException unknown) {
            request.sampler(sampler).schedule(schedule);
        }
    }

    private long whole(String key, long most) {
        try {
            long value = Long.parseLong(parameters.get(key).strip());
            if (value >= -1 && value <= most) {
                return value;
            }
        } catch (NumberFormatException e) {
            // Told below.
        }
        throw notANumber(key);
    }

    private double decimal(String key) {
        try {
            return Double.parseDouble(parameters.get(key).strip().toLowerCase(Locale.ROOT));
        } catch (NumberFormatException e) {
            throw notANumber(key);
        }
    }

    private KilnException notANumber(String key) {
        String value = parameters.get(key);
        String shown = value.length() > 40 ? value.substring(0, 40) + "…" : value;
        return KilnException.badRequest("the parameters' \"" + key + "\" cannot be \"" + shown.replaceAll("\\p{Cntrl}", "?") + '"');
    }
}
