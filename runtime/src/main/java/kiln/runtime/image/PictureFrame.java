package kiln.runtime.image;

import java.util.Map;

/**
 * What a file's structure says before a pixel is read.
 *
 * @param width of the whole picture, not yet turned; as is {@code height}
 * @param orientation EXIF's, 1 for upright
 * @param still a file with one picture, what a decoder is given: of an animation its first frame
 * @param x where that picture lies in the whole one, with {@code y}
 * @param stillWidth its own size, with {@code stillHeight}
 * @param transparent the one colour of its palette that is transparent, -1 for none
 */
record PictureFrame(
        int width,
        int height,
        int orientation,
        Map<String, String> texts,
        byte[] still,
        int x,
        int y,
        int stillWidth,
        int stillHeight,
        int transparent) {
    /** One that fills the picture. */
    static PictureFrame whole(int width, int height, int orientation, Map<String, String> texts, byte[] file) {
        return new PictureFrame(width, height, orientation, texts, file, 0, 0, width, height, -1);
    }
}
