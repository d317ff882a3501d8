package kiln.runtime.job;

import kiln.runtime.base.KilnException;

/**
 * A picture made larger on some sides, which are drawn: A1111's script "Poor man's outpainting".
 *
 * @param pixels at least so many on each of the sides: the whole becomes a multiple of 64 each way
 */
public record Outpainting(int pixels, boolean left, boolean right, boolean up, boolean down) {
    public static final int USUAL_PIXELS = 128;
    /** As A1111 writes it in parameters. */
    public static final String SCRIPT = "Poor man's outpainting";

    private static final int MULTIPLE = 64;

    /** A size in pixels, and where in it the picture begins. */
    public record Place(int width, int height, int left, int top) {}

    public Outpainting {
        if (pixels < 8 || pixels > 1024) {
            throw KilnException.badRequest("outpainting by " + pixels + " pixels is outside 8 to 1024");
        }
        if (!left && !right && !up && !down) {
            throw KilnException.badRequest("outpainting on no side: give left, right, up or down");
        }
    }

    public Place place(int width, int height) {
        int newWidth = enlarged(width, left, right);
        int newHeight = enlarged(height, up, down);
        return new Place(newWidth, newHeight, before(newWidth - width, left, right), before(newHeight - height, up, down));
    }

    private int enlarged(int side, boolean before, boolean after) {
        int wanted = side + (before ? pixels : 0) + (after ? pixels : 0);
        return (wanted + MULTIPLE - 1) / MULTIPLE * MULTIPLE;
    }

    private static int before(int added, boolean before, boolean after) {
        return !before ? 0 : after ? added / 2 : added;
    }
}
