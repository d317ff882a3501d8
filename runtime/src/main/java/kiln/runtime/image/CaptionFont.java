package kiln.runtime.image;

import java.io.DataInputStream;
import java.io.FileNotFoundException;
import java.io.IOException;
import java.io.InputStream;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.zip.GZIPInputStream;
import kiln.runtime.base.KilnException;

/**
 * The letters of captions, of any size: DejaVu Sans, drawn once at one size and scaled, so that no machine needs fonts or a window system.
 * Latin, Greek and Cyrillic; other letters are boxes. Immutable.
 */
final class CaptionFont {
    private static final String FILE = "caption-glyphs.bin.gz";
    private static final int BOX = 0x25a1;

    /** @param top of its coverages, above the baseline where it is negative */
    private record Glyph(int advance, int left, int top, int width, int height, byte[] coverage) {}

    private final int em;
    private final int ascent;
    private final int descent;
    private final Map<Integer, Glyph> glyphs = new HashMap<>();

    private CaptionFont(DataInputStream in) throws IOException {
        em = in.readShort();
        ascent = in.readShort();
        descent = in.readShort();
        int count = in.readShort();
        for (int i = 0; i < count; i++) {
            int letter = in.readInt();
            int advance = in.readShort();
            int left = in.readShort();
            int top = in.readShort();
            int width = in.readShort();
            int height = in.readShort();
            byte[] coverage = new byte[width * height];
            in.readFully(coverage);
            glyphs.put(letter, new Glyph(advance, left, top, width, height, coverage));
        }
    }

    static CaptionFont load() {
        try (InputStream in = CaptionFont.class.getResourceAsStream(FILE)) {
            if (in == null) {
                throw new FileNotFoundException(FILE);
            }
            return new CaptionFont(new DataInputStream(new GZIPInputStream(in)));
        } catch (IOException e) {
            throw new KilnException(
                    KilnException.Category.INTERNAL,
                    "Kiln's own file kiln/runtime/image/" + FILE + " is missing or damaged: install or build Kiln again",
                    e);
        }
    }

    private Glyph glyph(int letter) {
        Glyph glyph = glyphs.get(letter);
        return glyph == null ? glyphs.get(BOX) : glyph;
    }

    /** In pixels at {@code size}. */
    double width(String text, int size) {
        return text.codePoints().map(letter -> glyph(letter).advance).sum() * (double) size / em;
    }

    /** As many words to a line as fit; a word that fits in no line has one of its own. */
    List<String> wrap(String text, int size, int width) {
        List<String> lines = new ArrayList<>(List.of(""));
        for (String word : text.strip().split("\\s+")) {
            String last = lines.get(lines.size() - 1);
            String longer = last.isEmpty() ? word : last + " " + word;
            if (width(longer, size) <= width) {
                lines.set(lines.size() - 1, longer);
            } else {
                lines.add(word);
            }
        }
        return lines;
    }

    /** Draws a line of text around a middle; what would lie outside of the picture is left out. */
    void draw(String text, int size, double middleX, double middleY, int colour, byte[] rgb, int width, int height) {
        int lineWidth = Math.max(1, text.codePoints().map(letter -> glyph(letter).advance).sum());
        int lineHeight = ascent + descent;
        byte[] line = new byte[3 * lineWidth * lineHeight];
        int x = 0;
        for (int letter : text.codePoints().toArray()) {
            Glyph glyph = glyph(letter);
            for (int i = 0; i < glyph.coverage.length; i++) {
                int atX = x + glyph.left + i % glyph.width;
                int atY = ascent + glyph.top + i / glyph.width;
                if (atX >= 0 && atX < lineWidth && atY >= 0 && atY < lineHeight) {
                    line[3 * (atY * lineWidth + atX)] = (byte) Math.max(line[3 * (atY * lineWidth + atX)] & 255, glyph.coverage[i] & 255);
                }
            }
            x += glyph.advance;
        }
        Picture scaled = PictureResize.lanczos(
                new Picture(lineWidth, lineHeight, line),
                Math.max(1, Math.round((float) lineWidth * size / em)),
                Math.max(1, Math.round((float) lineHeight * size / em)));
        int left = (int) Math.round(middleX - scaled.width() / 2.0);
        int top = (int) Math.round(middleY - scaled.height() / 2.0);
        for (int row = 0; row < scaled.height(); row++) {
            for (int column = 0; column < scaled.width(); column++) {
                int atX = left + column;
                int atY = top + row;
                int covered = scaled.rgb()[3 * (row * scaled.width() + column)] & 255;
                if (covered > 0 && atX >= 0 && atX < width && atY >= 0 && atY < height) {
                    for (int c = 0; c < 3; c++) {
                        int at = 3 * (atY * width + atX) + c;
                        int ink = colour >> 16 - 8 * c & 255;
                        rgb[at] = (byte) (((rgb[at] & 255) * (255 - covered) + ink * covered + 127) / 255);
                    }
                }
            }
        }
    }
}
