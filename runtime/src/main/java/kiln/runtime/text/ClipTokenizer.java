package kiln.runtime.text;

import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;

/**
 * CLIP's byte-pair tokenizer (Radford et al. 2021) with the vocabulary {@code bpe_simple_vocab_16e6}: 49 408 tokens, the same for
 * every SD 1.x and 2.x model. The programs that models were trained with clean a text in slightly different ways: {@link #load} gives the
 * ids of transformers' CLIPTokenizer (SD 1.x), {@link #openClip} those of open_clip's SimpleTokenizer (SD 2.x).
 *
 * <p>Immutable and free for all threads. The time is linear in the length of the text.
 */
public final class ClipTokenizer {
    /** The id in front of every chunk. */
    public static final int START = 49406;

    /** The id behind every chunk's text, and SD 1.x's padding. */
    public static final int END = 49407;

    private static final byte[] BYTES = WordEncoder.bytesInOrder();

    private final Merges merges;
    private final boolean allReferences;

    /** What in a text is no word but one of the two special ids, by its spelling. */
    private final Map<String, Integer> special;

    private ClipTokenizer(Merges merges, boolean allReferences, Map<String, Integer> special) {
        this.merges = merges;
        this.allReferences = allReferences;
        this.special = special;
    }

    /** The tokenizer of SD 1.x; the first call reads the vocabulary. */
    public static ClipTokenizer load() {
        return Holder.TRANSFORMERS;
    }

    /** The tokenizer of models that were trained with open_clip: it also reads HTML references that look intended. */
    public static ClipTokenizer openClip() {
        return Holder.OPEN_CLIP;
    }

    /** The ids of a text's tokens, without {@link #START}, {@link #END} and padding. */
    public int[] encode(String text) {
        WordEncoder encoder = new WordEncoder(merges, text.length() / 3);
        if (allReferences) {
            encodePart(text, encoder);
            return encoder.tokens();
        }
        // A special id's spelling divides the text before it is cleaned.
        int from = 0;
        for (int at = text.indexOf("<|"); at >= 0; at = text.indexOf("<|", at + 1)) {
            String name = special(text, at);
            if (name != null) {
                encodePart(text.substring(from, at), encoder);
                encoder.token(special.get(name));
                from = at + name.length();
            }
        }
        encodePart(text.substring(from), encoder);
        return encoder.tokens();
    }

    private void encodePart(String text, WordEncoder encoder) {
        String clean = TextCleaning.clean(text, allReferences);
        for (int i = 0; i < clean.length(); ) {
            int c = clean.codePointAt(i);
            int kind = Characters.kind(c);
            int end = i + Character.charCount(c);
            if (kind == Characters.SPACE) {
                i = end;
                continue;
            }
            if (c == '<') {
                String name = special(clean, i);
                if (name != null) {
                    encoder.token(special.get(name));
                    i += name.length();
                    continue;
                }
            }
            if (c == '\'' && contraction(clean, i) > 0) {
                end = i + contraction(clean, i);
            } else if (kind != Characters.NUMBER) {
                end = runEnd(clean, end, kind);
            }
            encoder.word(clean, i, end);
            i = end;
        }
    }

    /** The same tokens with the text that each stands for. */
    public List<Token> pieces(String text) {
        return Arrays.stream(encode(text)).mapToObj(id -> new Token(id, text(id), endsWord(id))).collect(Collectors.toList());
    }

    /**
     * The characters that a token stands for.
     *
     * @throws IllegalArgumentException if there is no such token
     */
    public String text(int id) {
        if (id == START) {
            return "<|startoftext|>";
        }
        if (id == END) {
            return "<|endoftext|>";
        }
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        appendBytes(bytes, checked(id));
        try {
            return StandardCharsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(bytes.toByteArray())).toString();
        } catch (CharacterCodingException notWhole) {
            return "<" + HexFormat.ofDelimiter(" ").formatHex(bytes.toByteArray()) + ">";
        }
    }

    private boolean endsWord(int id) {
        if (id >= START) {
            return true;
        }
        int last = id;
        while (last >= Merges.FIRST) {
            last = merges.right(last);
        }
        return last >= 256;
    }

    private int checked(int id) {
        if (id < 0 || id >= merges.tokens()) {
            throw new IllegalArgumentException("token " + id + ": CLIP's vocabulary has 0-" + END);
        }
        return id;
    }

    private void appendBytes(ByteArrayOutputStream out, int id) {
        if (id < Merges.FIRST) {
            out.write(BYTES[id & 0xFF]);
        } else {
            appendBytes(out, merges.left(id));
            appendBytes(out, merges.right(id));
        }
    }

    /** Where a run of letters, or of characters that are neither letter, number nor space, ends. */
    private static int runEnd(String text, int from, int kind) {
        int i = from;
        while (i < text.length()) {
            int c = text.codePointAt(i);
            if (Characters.kind(c) != kind) {
                break;
            }
            i += Character.charCount(c);
        }
        return i;
    }

    /** The length of 's, 't, 're, 've, 'm, 'll or 'd, also at the start of a longer word; 0 if there is none. */
    private static int contraction(String text, int apostrophe) {
        if (apostrophe + 1 >= text.length()) {
            return 0;
        }
        char first = text.charAt(apostrophe + 1);
        char second = apostrophe + 2 < text.length() ? text.charAt(apostrophe + 2) : 0;
        return switch (first) {
            // The long s is an s to a regular expression that ignores case.
            case 's', 't', 'm', 'd', '\u017f' -> 2;
            case 'r', 'v' -> second == 'e' ? 3 : 0;
            case 'l' -> second == 'l' ? 3 : 0;
            default -> 0;
        };
    }

    private String special(String text, int at) {
        for (String name : special.keySet()) {
            if (text.startsWith(name, at)) {
                return name;
            }
        }
        return null;
    }

    private static final class Holder {
        private static final Merges MERGES = Merges.load();
        static final ClipTokenizer TRANSFORMERS =
                new ClipTokenizer(MERGES, false, Map.of("<|startoftext|>", START, "<|endoftext|>", END));
        static final ClipTokenizer OPEN_CLIP = new ClipTokenizer(MERGES, true, Map.of("<start_of_text>", START, "<end_of_text>", END));
    }
}
