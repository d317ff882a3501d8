package kiln.runtime.store;

import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.time.DateTimeException;
import java.time.ZoneId;
import java.time.ZonedDateTime;
import java.time.format.DateTimeFormatter;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import kiln.runtime.job.SaveOptions;

/**
 * A1111's patterns for names of files and folders: text with parts such as {@code [seed]} or {@code [datetime<%Y>]} in it.
 *
 * <p>An unknown part stays as it is written. A part that has nothing to say of a picture, as {@code [batch_number]} of one drawn alone, takes
 * the text before it along. What file systems refuse becomes "_". Immutable.
 */
public final class FileNamePattern {
    /** What common file systems take, less a number before and an ending after. */
    private static final int MAX_BYTES = 230;

    private static final int HASH_LENGTH = 8;
    private static final int WHOLE_HASH = 64;
    private static final Pattern PART = Pattern.compile("\\[(\\w{1,40})((?:<[^<>]{0,100}>){0,32})\\]");
    private static final Pattern UNSAFE = Pattern.compile("[#<>:\"/\\\\|?*\\p{Cntrl}]");
    /** The rest may be in names, but lines of paths could not be told apart. */
    private static final Pattern UNSAFE_ON_UNIX = Pattern.compile("[/\\p{Cntrl}]");
    private static final String WORD_ENDS = "[\\s\\p{Punct}]+";
    private static final String TIMESTAMP = "%Y%m%d%H%M%S";
    /** A part that takes the text before it along. */
    private static final String SKIP = "\0skip";
    /** Names that Windows keeps for devices; files that travel there should not have them. */
    private static final Set<String> RESERVED = Set.of("con", "prn", "aux", "nul");

    private final String pattern;
    private final SaveOptions options;

    public FileNamePattern(String pattern, SaveOptions options) {
        this.pattern = pattern;
        this.options = options;
    }

    /** The name of a file or of one folder for this picture; empty when nothing is left. Never "." or "..". */
    String fill(NameFacts facts) {
        StringBuilder name = new StringBuilder();
        Matcher part = PART.matcher(pattern);
        int at = 0;
        while (part.find()) {
            String value = value(part.group(1).toLowerCase(Locale.ROOT), arguments(part.group(2)), facts);
            if (!SKIP.equals(value)) {
                name.append(pattern, at, part.start()).append(sanitise(value == null ? part.group() : value, options.longestPart()));
            }
            at = part.end();
        }
        return sanitise(name.append(pattern.substring(at)).toString(), MAX_BYTES);
    }

    private static String[] arguments(String suffix) {
        return suffix.isEmpty() ? new String[0] : suffix.substring(1, suffix.length() - 1).split("><", -1);
    }

    private String value(String part, String[] arguments, NameFacts facts) {
        String prompt = facts.text().prompt();
        String negative = facts.text().negativePrompt();
        Map<String, String> parameters = facts.text().parameters();
        boolean batch = facts.batchSize() > 1;
        return switch (part) {
            case "seed" -> parameters.get("Seed");
            case "seed_first" -> batch ? Long.toString(facts.firstSeed()) : parameters.get("Seed");
            case "seed_last" -> batch ? Long.toString(facts.firstSeed() + facts.pictures() - 1) : SKIP;
            case "steps" -> parameters.get("Steps");
            case "cfg" -> parameters.get("CFG scale");
            case "width" -> facts.image() == null ? side(parameters, 0) : Integer.toString(facts.image().width());
            case "height" -> facts.image() == null ? side(parameters, 1) : Integer.toString(facts.image().height());
            case "sampler" -> parameters.get("Sampler");
            case "scheduler" -> parameters.getOrDefault("Schedule type", "Automatic");
            case "sampler_scheduler" -> parameters.get("Sampler") == null ? null
                    : parameters.get("Sampler") + " " + parameters.getOrDefault("Schedule type", "Automatic");
            case "model_hash" -> parameters.get("Model hash");
            case "model_name" -> parameters.get("Model");
            case "vae_filename" -> parameters.containsKey("VAE") ? parameters.get("VAE").replaceFirst("(?<=.)\\..*", "") : "NoneType";
            case "clip_skip" -> parameters.getOrDefault("Clip skip", "1");
            case "denoising" -> parameters.getOrDefault("Denoising strength", SKIP);
            case "date" -> facts.now().format(DateTimeFormatter.ISO_LOCAL_DATE);
            case "datetime" -> dateTime(arguments, facts.now());
            case "job_timestamp" -> dateTime(new String[] {TIMESTAMP}, facts.begun());
            case "prompt", "prompt_no_styles" -> part.equals("prompt") ? prompt.replace(' ', '_') : prompt;
            case "prompt_spaces" -> prompt;
            case "prompt_words" -> words(prompt);
            case "prompt_hash" -> hash(prompt, arguments);
            case "negative_prompt_hash" -> hash(negative, arguments);
            case "full_prompt_hash" -> hash(prompt + " " + negative, arguments);
            case "image_hash" -> facts.image() == null ? "" : hash(facts.image().rgb(), arguments, WHOLE_HASH);
            case "hasprompt" -> promptHas(prompt, arguments);
            case "batch_number" -> batch ? Integer.toString(facts.index() % facts.batchSize() + 1) : SKIP;
            case "batch_size" -> Integer.toString(facts.batchSize());
            case "generation_number" -> facts.pictures() > 1 ? Integer.toString(facts.index() + 1) : SKIP;
            // Styles are part of the prompt here, and nobody signs in; pictures are not made from files one by one.
            case "styles" -> "None";
            case "user", "basename", "none" -> "";
            default -> null;
        };
    }

    private static String side(Map<String, String> parameters, int index) {
        String[] sides = parameters.getOrDefault("Size", "").split("x");
        return sides.length == 2 ? sides[index] : null;
    }

    private String words(String prompt) {
        List<String> words = Arrays.stream(prompt.split(WORD_ENDS)).filter(word -> !word.isEmpty()).limit(options.promptWords()).toList();
        return words.isEmpty() ? "empty" : String.join(" ", words);
    }

    /** Of each argument the word, if the prompt has it, else what stands behind the bar. */
    private static String promptHas(String prompt, String[] arguments) {
        StringBuilder found = new StringBuilder();
        for (String argument : arguments) {
            String[] choice = argument.split("\\|", -1);
            String word = choice[0].toLowerCase(Locale.ROOT);
            found.append(prompt.toLowerCase(Locale.ROOT).contains(word) ? word : choice.length > 1 ? choice[1] : "");
        }
        return found.toString();
    }

    private static String hash(String prompt, String[] arguments) {
        return hash(prompt.getBytes(StandardCharsets.UTF_8), arguments, HASH_LENGTH);
    }

    private static String hash(byte[] bytes, String[] arguments, int usualLength) {
        int length = arguments.length > 0 && arguments[0].matches("\\d{1,2}") ? Integer.parseInt(arguments[0]) : usualLength;
        try {
            String hex = HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(bytes));
            return hex.substring(0, Math.min(length, hex.length()));
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every JDK has SHA-256", e);
        }
    }

    /** First argument: a strftime format; second: a time zone's name. Wrong ones fall back to the default format and the local zone. */
    private static String dateTime(String[] arguments, ZonedDateTime time) {
        String format = arguments.length > 0 && !arguments[0].isEmpty() ? arguments[0] : TIMESTAMP;
        ZonedDateTime moment = time;
        if (arguments.length > 1) {
            try {
                moment = time.withZoneSameInstant(ZoneId.of(arguments[1]));
            } catch (DateTimeException e) {
                // Stays local, as A1111 has it.
            }
        }
        StringBuilder text = new StringBuilder();
        for (int i = 0; i < format.length(); i++) {
            char c = format.charAt(i);
            if (c != '%' || i + 1 == format.length()) {
                text.append(c);
                continue;
            }
            c = format.charAt(++i);
            String javaFormat = switch (c) {
                case 'Y' -> "yyyy";
                case 'y' -> "yy";
                case 'm' -> "MM";
                case 'd' -> "dd";
                case 'H' -> "HH";
                case 'I' -> "hh";
                case 'M' -> "mm";
                case 'S' -> "ss";
                case 'f' -> "SSSSSS";
                case 'p' -> "a";
                case 'j' -> "DDD";
                case 'a' -> "EEE";
                case 'A' -> "EEEE";
                case 'b' -> "MMM";
                case 'B' -> "MMMM";
                default -> null;
            };
            if (javaFormat != null) {
                text.append(moment.format(DateTimeFormatter.ofPattern(javaFormat, Locale.ENGLISH)));
            } else {
                text.append(c == '%' ? "%" : "%" + c);
            }
        }
        return text.toString();
    }

    private String sanitise(String text, int maxCharacters) {
        String safe = (options.unixNames() ? UNSAFE_ON_UNIX : UNSAFE).matcher(text).replaceAll("_").stripLeading();
        safe = truncate(safe, maxCharacters);
        int end = safe.length();
        while (end > 0 && (safe.charAt(end - 1) == ' ' || safe.charAt(end - 1) == '.')) {
            end--;
        }
        safe = safe.substring(0, end);
        return RESERVED.contains(safe.toLowerCase(Locale.ROOT)) ? "_" + safe : safe;
    }

    /** Cuts between characters, by their number and by their bytes. */
    private static String truncate(String text, int maxCharacters) {
        int bytes = 0;
        int characters = 0;
        int end = 0;
        while (end < text.length()) {
            int c = text.codePointAt(end);
            bytes += c < 0x80 ? 1 : c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;
            if (++characters > maxCharacters || bytes > MAX_BYTES) {
                break;
            }
            end += Character.charCount(c);
        }
        return text.substring(0, end);
    }
}
