package kiln.runtime.check;

import java.nio.file.Path;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;
import kiln.runtime.base.KilnException;
import kiln.runtime.image.PictureReader;
import kiln.runtime.image.PictureTexts;
import kiln.runtime.job.PictureParameters;

/**
 * What a picture file says of itself.
 *
 * @param format "png", "jpeg"
 * @param texts as the file has them, by the names of {@link PictureTexts}
 * @param parameters how it was made; {@code null} when nothing in it says so
 */
public record PictureInspection(String format, int width, int height, Map<String, String> texts, PictureParameters parameters) {
    public PictureInspection {
        texts = Collections.unmodifiableMap(new LinkedHashMap<>(texts));
    }

    /** Whether it is a picture, by its first bytes. */
    public static boolean isPicture(Path file) {
        return PictureReader.format(file) != null;
    }

    /**
     * Looks into the pixels only where the texts do not say how it was made: something may be hidden there.
     *
     * @throws KilnException when it cannot be read: one line with its name
     */
    public static PictureInspection of(Path file) {
        PictureReader.Summary summary = PictureReader.summary(file);
        Map<String, String> texts = new LinkedHashMap<>(summary.texts());
        PictureParameters parameters = PictureParameters.of(texts, summary.width(), summary.height()).orElse(null);
        if (parameters == null) {
            String hidden = hidden(file);
            if (hidden != null) {
                texts.put(PictureTexts.STEALTH, hidden);
                parameters = PictureParameters.of(texts, summary.width(), summary.height()).orElse(null);
            }
        }
        String format = summary.format().name().toLowerCase(Locale.ROOT);
        return new PictureInspection(format, summary.width(), summary.height(), texts, parameters);
    }

    private static String hidden(Path file) {
        try {
            return PictureReader.read(file).texts().get(PictureTexts.STEALTH);
        } catch (KilnException e) {
            // Damaged pixels hide nothing; what the file says in words holds all the same.
            return null;
        }
    }
}
