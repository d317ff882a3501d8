package kiln.runtime.store;

import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.time.DateTimeException;
import java.time.ZoneId;
import java.time.ZonedDateTime;
import java.time.format.DateTimeFormatter;
import java.util.HexFormat;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import kiln.runtime.job.InfoText;

/**
 * A1111's patterns for names of files and folders: text with parts such as {@code [seed]} or {@code [datetime<%Y>]} in it.
 *
 * <p>Known are the parameters of a picture and the time. An unknown part stays as it is written, and so does a part whose parameter
 * the picture lacks. What file systems refuse becomes "_". Immutable.
 */
public final class FileNamePattern {
    /** Longest name of one folder or file, in characters, before the ending. */
    private static final int MAX_CHARACTERS = 128;
    /** What common file systems take, less a number before and an ending after. */
    private static final int MAX_BYTES = 230;

    private static final int PROMPT_WORDS = 8;
    private static final int HASH_LENGTH = 8;
    private static final Pattern PART = Pattern.compile("\\[(\\w{1,40})((?:<[^<>]{0,100}>){0,2})\\]");
    private static final Pattern UNSAFE = Pattern.compile("[#<>:\"/\\\\|?*\\p{Cntrl}]");
    private static final String WORD_ENDS = "[\\s\\p{Punct}]+";
    private static final Map<String, String> PARAMETERS = Map.ofEntries(
            Map.entry("seed", "Seed"),
            Map.entry("steps", "Steps"),
            Map.entry("cfg", "CFG scale"),
            Map.entry("sampler", "Sampler"),
            Map.entry("scheduler", "Schedule type"),
            Map.entry("model_name", "Model"),
            Map.entry("model_hash", "Model hash"),
            Map.entry("clip_skip", "Clip skip"));
    /** Names that Windows keeps for devices; files that travel there should not have them. */
    private static final Set<String> RESERVED = Set.of("con", "prn", "aux", "nul");

    private final String pattern;

    public FileNamePattern(String pattern) {
        this.pattern = pattern;
    }

    /** The name of a file or of one folder for this picture; empty when nothing is left. Never "." or "..". */
    public String fill(InfoText text, ZonedDateTime time) {
        StringBuilder name = new StringBuilder();
        Matcher part = PART.matcher(pattern);
        while (part.find()) {
            String value = value(part.group(1).toLowerCase(Locale.ROOT), arguments(part.group(2)), text, time);
            part.appendReplacement(name, Matcher.quoteReplacement(sanitise(value == null ? part.group() : value, MAX_CHARACTERS)));
        }
        part.appendTail(name);
        return sanitise(name.toString(), MAX_BYTES);
    }

    private static String[] arguments(String suffix) {
        return suffix.isEmpty() ? new String[0] : suffix.substring(1, suffix.length() - 1).split("><", -1);
    }

    private static String value(String part, String[] arguments, InfoText text, ZonedDateTime time) {
        String prompt = text.prompt();
        return switch (part) {
            case "prompt" -> prompt.replace(' ', '_');
            case "prompt_spaces" -> prompt;
            case "prompt_words" -> words(prompt);
            case "prompt_hash" -> hash(prompt, arguments);
            case "negative_prompt_hash" -> hash(text.negativePrompt(), arguments);
            case "date" -> time.format(DateTimeFormatter.ISO_LOCAL_DATE);
            case "datetime" -> dateTime(arguments, time);
            case "width" -> side(text, 0);
            case "height" -> side(text, 1);
            case "sampler_scheduler" -> text.parameters().get("Sampler") == null ? null
                    : text.parameters().get("Sampler") + " " + text.parameters().getOrDefault("Schedule type", "Automatic");
            case "none" -> "";
            default -> text.parameters().get(PARAMETERS.getOrDefault(part, ""));
        };
    }

    private static String side(InfoText text, int index) {
        String[] sides = text.parameters().getOrDefault("Size", "").split("x");
        return sides.length == 2 ? sides[index] : null;
    }

    private static String words(String prompt) {
        String[] words = prompt.strip().split(WORD_ENDS, PROMPT_WORDS + 2);
        StringBuilder joined = new StringBuilder();
        for (int i = 0, taken = 0; i < words.length && taken < PROMPT_WORDS; i++) {
            if (!words[i].isEmpty()) {
                joined.append(taken++ == 0 ? "" : " ").append(words[i]);
            }
        }
        return joined.toString();
    }

    private static String hash(String prompt, String[] arguments) {
        int length = HASH_LENGTH;
        if (arguments.length > 0 && arguments[0].matches("\\d{1,2}")) {
            length = Integer.parseInt(arguments[0]);
        }
        try {
            byte[] digest = MessageDigest.getInstance("SHA-256").digest(prompt.getBytes(StandardCharsets.UTF_8));
            String hex = HexFormat.of().formatHex(digest);
            return hex.substring(0, Math.min(length, hex.length()));
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every JDK has SHA-256", e);
        }
    }

    /** First argument: a strftime format; second: a time zone's name. Wrong ones fall back to the default format and the local zone. */
    private static String dateTime(String[] arguments, ZonedDateTime time) {
        String format = arguments.length > 0 && !arguments[0].isEmpty() ? arguments[0] : "%Y%m%d%H%M%S";
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

    private static String sanitise(String text, int maxCharacters) {
        String safe = UNSAFE.matcher(text).replaceAll("_").stripLeading();
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
