import java.awt.Font;
import java.awt.Graphics2D;
import java.awt.Rectangle;
import java.awt.RenderingHints;
import java.awt.font.FontRenderContext;
import java.awt.font.GlyphVector;
import java.awt.image.BufferedImage;
import java.io.DataOutputStream;
import java.io.File;
import java.io.FileOutputStream;
import java.util.stream.IntStream;
import java.util.zip.GZIPOutputStream;

/**
 * Draws the letters of captions: java -Djava.awt.headless=true CaptionGlyphs.java DejaVuSans.ttf caption-glyphs.bin.gz
 *
 * <p>The file: em, ascent, descent, number of glyphs (shorts); for each its code point (int), advance, left, top below the baseline, width,
 * height (shorts) and width x height coverages (bytes).
 */
class CaptionGlyphs {
    private static final int EM = 40;

    public static void main(String[] args) throws Exception {
        Font font = Font.createFont(Font.TRUETYPE_FONT, new File(args[0])).deriveFont((float) EM);
        FontRenderContext context = new FontRenderContext(null, true, true);
        int[] bounds = {
                0x20, 0x7e, 0xa0, 0x17f, 0x386, 0x3ce, 0x401, 0x45f, 0x2010, 0x2014, 0x2018, 0x201e, 0x2022, 0x2026, 0x20ac, 0x20ac,
                0x2122, 0x2122, 0x2190, 0x2193, 0x2212, 0x2212, 0x25a1, 0x25a1,
        };
        int[] letters = IntStream.range(0, bounds.length / 2)
                .flatMap(i -> IntStream.rangeClosed(bounds[2 * i], bounds[2 * i + 1]))
                .filter(font::canDisplay)
                .toArray();
        try (DataOutputStream out = new DataOutputStream(new GZIPOutputStream(new FileOutputStream(args[1])))) {
            var metrics = font.getLineMetrics("Ag", context);
            out.writeShort(EM);
            out.writeShort(Math.round(metrics.getAscent()));
            out.writeShort(Math.round(metrics.getDescent()));
            out.writeShort(letters.length);
            for (int letter : letters) {
                GlyphVector glyph = font.createGlyphVector(context, Character.toChars(letter));
                Rectangle box = glyph.getPixelBounds(context, 0, 0);
                out.writeInt(letter);
                out.writeShort(Math.round(glyph.getGlyphMetrics(0).getAdvance()));
                out.writeShort(box.x);
                out.writeShort(box.y);
                out.writeShort(box.width);
                out.writeShort(box.height);
                if (box.isEmpty()) {
                    continue;
                }
                BufferedImage image = new BufferedImage(box.width, box.height, BufferedImage.TYPE_BYTE_GRAY);
                Graphics2D graphics = image.createGraphics();
                graphics.setRenderingHint(RenderingHints.KEY_TEXT_ANTIALIASING, RenderingHints.VALUE_TEXT_ANTIALIAS_ON);
                graphics.setRenderingHint(RenderingHints.KEY_FRACTIONALMETRICS, RenderingHints.VALUE_FRACTIONALMETRICS_ON);
                graphics.drawGlyphVector(glyph, -box.x, -box.y);
                for (int i = 0; i < box.width * box.height; i++) {
                    out.writeByte(image.getRaster().getSample(i % box.width, i / box.width, 0));
                }
            }
        }
    }
}
