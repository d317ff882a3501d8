package kiln.runtime.text;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.zip.CRC32;
import java.util.zip.GZIPInputStream;
import org.junit.jupiter.api.Test;

class ClipTokenizerTest {
    private final ClipTokenizer tokenizer = ClipTokenizer.load();

    @Test
    void givesOpenClipsIdsForTenThousandStrings() throws IOException {
        ObjectMapper json = new ObjectMapper();
        List<String> different = new ArrayList<>();
        int count = 0;
        try (BufferedReader in = new BufferedReader(new InputStreamReader(
                new GZIPInputStream(ClipTokenizerTest.class.getResourceAsStream("/text/tokens.txt.gz")), StandardCharsets.UTF_8))) {
            for (String line = in.readLine(); line != null; line = in.readLine()) {
                int tab = line.lastIndexOf('\t');
                String text = json.readValue(line.substring(0, tab), String.class);
                if (crc(ClipTokenizer.openClip().encode(text)) != Long.parseLong(line.substring(tab + 1), 16)) {
                    different.add(line);
                }
                count++;
            }
        }
        assertThat(count).isEqualTo(10_000);
        assertThat(different).isEmpty();
    }

    @Test
    void knowsCommonPrompts() {
        assertThat(tokenizer.encode("a photo of a cat")).containsExactly(320, 1125, 539, 320, 2368);
        assertThat(tokenizer.encode("A  Photo\nOF a cat,")).containsExactly(320, 1125, 539, 320, 2368, 267);
        assertThat(tokenizer.encode("")).isEmpty();
        assertThat(tokenizer.encode(" \n\u3000 ")).isEmpty();
    }

    @Test
    void readsSpecialTokensWrittenOut() {
        assertThat(tokenizer.encode("a <|endoftext|>b<|StartOfText|>")).containsExactly(320, ClipTokenizer.END, 321, ClipTokenizer.START);
        assertThat(ClipTokenizer.openClip().encode("a <end_of_text>")).containsExactly(320, ClipTokenizer.END);
    }

    @Test
    void takesAnotherProgramsSpecialTokensForText() {
        assertThat(tokenizer.encode("<end_of_text>")).containsExactly(283, 806, 318, 539, 318, 4160, 285);
        assertThat(ClipTokenizer.openClip().encode("<|endoftext|>")).doesNotContain(ClipTokenizer.END);
    }

    @Test
    void readsReferencesWhereNothingLooksLikeHtml() {
        assertThat(tokenizer.encode("salt &amp; pepper")).isEqualTo(tokenizer.encode("salt & pepper"));
        assertThat(tokenizer.encode("<b> salt &amp; pepper")).isNotEqualTo(tokenizer.encode("<b> salt & pepper"));
        assertThat(ClipTokenizer.openClip().encode("<b> salt &amp; pepper")).isEqualTo(tokenizer.encode("<b> salt & pepper"));
    }

    @Test
    void replacesHalvesOfSurrogatePairs() {
        assertThat(tokenizer.encode("\ud83d")).isEqualTo(tokenizer.encode("\ufffd"));
        assertThat(tokenizer.encode("\ude00\ud83d x")).isEqualTo(tokenizer.encode("\ufffd\ufffd x"));
    }

    @Test
    void piecesGiveTheTextBack() {
        List<Token> pieces = tokenizer.pieces("Kilns' 猫 it's");
        assertThat(pieces.stream().filter(Token::endsWord)).hasSize(5);
        assertThat(pieces.get(pieces.size() - 1)).isEqualTo(new Token(568, "'s", true));
        assertThat(tokenizer.pieces("category")).containsExactly(new Token(9432, "category", true));
        assertThat(tokenizer.pieces("cat")).containsExactly(new Token(2368, "cat", true));
        assertThat(tokenizer.text(ClipTokenizer.START)).isEqualTo("<|startoftext|>");
        assertThat(tokenizer.text(ClipTokenizer.END)).isEqualTo("<|endoftext|>");
        assertThatThrownBy(() -> tokenizer.text(49408)).isInstanceOf(IllegalArgumentException.class).hasMessageContaining("49408");
    }

    @Test
    void bytesThatAreNoCharacterAreShownAsBytes() {
        List<Token> pieces = tokenizer.pieces("\ud83e\udee0");
        assertThat(pieces.size()).isGreaterThan(1);
        assertThat(pieces.get(0).text()).startsWith("<f0");
    }

    @Test
    void longWordsMergeInTheSameOrderAsShortOnes() {
        long seed = 20261124;
        Random random = new Random(seed);
        Merges merges = Merges.load();
        for (int round = 0; round < 300; round++) {
            StringBuilder word = new StringBuilder();
            int length = 49 + random.nextInt(60);
            while (word.length() < length) {
                word.append("etaoinshrdlu".charAt(random.nextInt(1 + random.nextInt(12))));
            }
            WordEncoder encoder = new WordEncoder(merges, 0);
            encoder.word(word.toString(), 0, word.length());
            assertThat(encoder.tokens()).as("seed %d, word %s", seed, word).isEqualTo(slowly(merges, word.toString()));
        }
    }

    @Test
    void takesAHundredThousandCharactersWithoutASpace() {
        assertThat(tokenizer.encode("ab".repeat(50_000))).isNotEmpty();
        assertThat(tokenizer.encode("猫".repeat(100_000)).length).isGreaterThan(50_000);
        assertThat(tokenizer.encode("&".repeat(100_000))).isNotEmpty();
        assertThat(tokenizer.encode("\u0301".repeat(100_000))).isNotEmpty();
        assertThat(tokenizer.encode("\u0301\u0323".repeat(50_000))).isNotEmpty();
        assertThat(tokenizer.encode("&" + "amp;".repeat(25_000))).isNotEmpty();
        assertThat(tokenizer.encode("\u03a3\u0301".repeat(50_000))).isNotEmpty();
        assertThat(tokenizer.encode("a" + "\u00b7".repeat(50_000) + "\u03a3" + "\u00b7".repeat(49_000))).isNotEmpty();
    }

    @Test
    void composesLettersInLongTextsAsInShortOnes() {
        for (String word : List.of("e\u0301", "\u1112\u1161\u11ab", "x\u0323\u0307\ud83d\ude00")) {
            int[] one = tokenizer.encode(word);
            int[] many = tokenizer.encode((word + " ").repeat(1001));
            assertThat(many).hasSize(1001 * one.length).endsWith(one);
            for (int i = 0; i < many.length; i++) {
                assertThat(many[i]).isEqualTo(one[i % one.length]);
            }
        }
    }

    /** CLIP's own procedure: find the best pair, merge it everywhere, look again. */
    private static int[] slowly(Merges merges, String asciiLetters) {
        List<Integer> word = new ArrayList<>();
        for (int i = 0; i < asciiLetters.length(); i++) {
            word.add(asciiLetters.charAt(i) - '!' + (i + 1 == asciiLetters.length() ? 256 : 0));
        }
        while (true) {
            int best = Merges.NONE;
            for (int i = 0; i + 1 < word.size(); i++) {
                best = Math.min(best, merges.of(word.get(i), word.get(i + 1)));
            }
            if (best == Merges.NONE) {
                return word.stream().mapToInt(Integer::intValue).toArray();
            }
            for (int i = 0; i + 1 < word.size(); i++) {
                if (merges.of(word.get(i), word.get(i + 1)) == best) {
                    word.set(i, best);
                    word.remove(i + 1);
                }
            }
        }
    }

    private static long crc(int[] ids) {
        ByteBuffer bytes = ByteBuffer.allocate(2 * ids.length);
        Arrays.stream(ids).forEach(id -> bytes.putShort((short) id));
        CRC32 crc = new CRC32();
        crc.update(bytes.array());
        return crc.getValue();
    }
}
