package kiln.runtime.image;

import java.util.Map;

/**
 * The texts that programs leave in pictures, by the names under which {@link PictureReader} gives them. PNGs have keywords of their own;
 * these are what other places are called.
 */
public final class PictureTexts {
    /** EXIF's 0x9286, where A1111 writes its parameters into JPEG and WebP. */
    public static final String USER_COMMENT = "UserComment";
    /** A comment of a GIF or a JPEG. */
    public static final String COMMENT = "comment";
    /** What is hidden in the lowest bits of the pixels ({@link StealthText}); read with the pixels only. */
    public static final String STEALTH = "stealth";

    private PictureTexts() {}

    /** A text, if the budget of a file's texts allows. @return what is left of the budget, negative when it does not */
    static int put(Map<String, String> texts, String key, String text, int budget) {
        int left = budget - text.length();
        if (left >= 0 && !text.isBlank()) {
            texts.put(key, text);
        }
        return left;
    }
}
