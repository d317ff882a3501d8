package kiln.runtime.text;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Text that was UTF-8 and has been read in another encoding, such as "schÃ¶n": put right the way ftfy does (Robyn Speer, ftfy 6.3), whose
 * tables of what looks wrong this goes by. What looks right stays as it is.
 *
 * <p>Strings of bytes are held as Latin-1 text here, so that patterns can search them.
 */
final class Mojibake {
    private static final String FILE = "mojibake.txt.gz";

    /** A decoding shortens the text, so there is an end to it; this is for texts made to be wrong over and over. */
    private static final int MOST_PASSES = 32;

    private static final String REPLACEMENT_IN_UTF8 = "\u00ef\u00bf\u00bd";
    private static final Pattern SURROGATES_IN_UTF8 =
            Pattern.compile("\u00ed([\u00a0-\u00af])([\u0080-\u00bf])\u00ed([\u00b0-\u00bf])([\u0080-\u00bf])");

    private static final Map<String, Pattern> PATTERNS = new HashMap<>();
    private static final List<Encoding> ENCODINGS = new ArrayList<>();

    /** What bytes beyond ASCII turn into: text without any of it, such as Chinese, cannot be wrong in this way. */
    private static final BitSet CLUES = new BitSet();

    static {
        try (BufferedReader in = new BufferedReader(new InputStreamReader(Resources.open(FILE), StandardCharsets.US_ASCII))) {
            for (String line = in.readLine(); line != null; line = in.readLine()) {
                String[] parts = line.split(" ", 3);
                if (parts[0].equals("pattern")) {
                    PATTERNS.put(parts[1], Pattern.compile(parts[2]));
                } else {
                    ENCODINGS.add(Encoding.of(parts[1], parts[2]));
                    ENCODINGS.get(ENCODINGS.size() - 1).bytes.keySet().forEach(CLUES::set);
                }
            }
        } catch (IOException e) {
            throw Resources.broken(FILE, e);
        }
    }

    private static final Pattern BAD = PATTERNS.get("bad");
    private static final Pattern SEQUENCE = PATTERNS.get("sequence");
    private static final Pattern ALTERED = PATTERNS.get("altered");
    private static final Pattern LONE_A_GRAVE = PATTERNS.get("grave");
    private static final Pattern LOSSY = PATTERNS.get("lossy");

    private Mojibake() {}

    /** The line as it was meant. */
    static String mend(String line) {
        String text = line;
        for (int pass = 0; pass < MOST_PASSES; pass++) {
            String mended = step(text);
            if (mended.equals(text)) {
                break;
            }
            text = mended;
        }
        return text;
    }

    private static String step(String text) {
        if (text.chars().noneMatch(CLUES::get) || !BAD.matcher(text).find()) {
            return text;
        }
        for (Encoding encoding : ENCODINGS) {
            String bytes = encoding.encode(text);
            String decoded = bytes == null ? null : utf8(encoding.restore(bytes));
            if (decoded != null) {
                return decoded;
            }
        }
        String partly = mendSequences(text);
        return partly.equals(text) ? withoutControls(text) : partly;
    }

    /** Wrongly decoded sequences in a text that otherwise is right. */
    private static String mendSequences(String text) {
        return SEQUENCE.matcher(text).replaceAll(match -> {
            String found = match.group();
            boolean bad = found.length() < text.length() && BAD.matcher(found).find();
            return Matcher.quoteReplacement(bad ? mend(found) : found);
        });
    }

    /** Control characters of Latin-1 as the characters that Windows has in their places. */
    private static String withoutControls(String text) {
        StringBuilder out = new StringBuilder(text.length());
        for (int i = 0; i < text.length(); i++) {
            char c = text.charAt(i);
            out.append(c >= 0x80 && c <= 0x9f ? HtmlEntities.windows1252(c) : c);
        }
        return out.toString();
    }

    /** Strict UTF-8, but also with surrogate pairs encoded one by one, and Java's two bytes for zero; null if it is not that. */
    private static String utf8(String bytes) {
        String standard = bytes;
        if (bytes.indexOf('\u00ed') >= 0 || bytes.indexOf('\u00c0') >= 0) {
            standard = SURROGATES_IN_UTF8.matcher(bytes.replace("\u00c0\u0080", "\0")).replaceAll(match -> {
                int code = 0x10000 + (bits(match.group(1), 0x0f) << 16) + (bits(match.group(2), 0x3f) << 10)
                        + (bits(match.group(3), 0x0f) << 6) + bits(match.group(4), 0x3f);
                byte[] utf8 = Character.toString(code).getBytes(StandardCharsets.UTF_8);
                return Matcher.quoteReplacement(new String(utf8, StandardCharsets.ISO_8859_1));
            });
        }
        try {
            return StandardCharsets.UTF_8.newDecoder()
                    .decode(ByteBuffer.wrap(standard.getBytes(StandardCharsets.ISO_8859_1)))
                    .toString();
        } catch (CharacterCodingException notUtf8) {
            return null;
        }
    }

    private static int bits(String character, int mask) {
        return character.charAt(0) & mask;
    }

    /** An encoding of one byte a character that the text may have been read in. */
    private record Encoding(String name, Map<Character, Character> bytes) {
        private static final int FIRST = 0x80;
        private static final int SUBSTITUTE = 0x1a;

        static Encoding of(String name, String characters) {
            Map<Character, Character> bytes = new HashMap<>();
            String[] codes = characters.split(" ");
            for (int i = 0; i < codes.length; i++) {
                int value = i + 1 < codes.length ? FIRST + i : SUBSTITUTE;
                bytes.put((char) Integer.parseInt(codes[i], 16), (char) value);
            }
            return new Encoding(name, bytes);
        }

        /** The text's bytes, or null if it cannot have been read in this encoding. */
        String encode(String text) {
            StringBuilder out = new StringBuilder(text.length());
            for (int i = 0; i < text.length(); i++) {
                char c = text.charAt(i);
                Character value = c < FIRST && c != SUBSTITUTE ? Character.valueOf(c) : bytes.get(c);
                if (value == null) {
                    return null;
                }
                out.append(value.charValue());
            }
            return out.toString();
        }

        /** Puts back what other programs lose in such text: no-break spaces that became blanks, bytes that became question marks. */
        String restore(String bytes) {
            String restored = bytes;
            if (!name.equals("macroman") && ALTERED.matcher(bytes).find()) {
                restored = LONE_A_GRAVE.matcher(restored).replaceAll("\u00c3\u00a0 ");
                restored = ALTERED.matcher(restored).replaceAll(match -> Matcher.quoteReplacement(match.group().replace(' ', '\u00a0')));
            }
            return name.startsWith("sloppy") ? LOSSY.matcher(restored).replaceAll(REPLACEMENT_IN_UTF8) : restored;
        }
    }
}
