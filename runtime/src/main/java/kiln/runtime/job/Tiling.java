package kiln.runtime.job;

import kiln.runtime.base.KilnException;

/**
 * In which pieces an upscaler sees a picture: A1111's ESRGAN_tile and ESRGAN_tile_overlap.
 *
 * @param side of a square in pixels; 0 for the whole picture at once
 * @param overlap pixels over which a square is faded in
 */
public record Tiling(int side, int overlap) {
    public static final Tiling DEFAULT = new Tiling(192, 8);
    public static final Tiling WHOLE = new Tiling(0, 0);
    private static final int LARGEST = 4096;

    public Tiling {
        if (side < 0 || side > LARGEST || side > 0 && side < 16) {
            throw KilnException.badRequest("tiles of " + side + " pixels: 0 for the whole picture, or 16 to " + LARGEST);
        }
        if (overlap < 0 || side > 0 && overlap > side / 2) {
            throw KilnException.badRequest("tiles of " + side + " pixels that overlap by " + overlap + ": 0 to half a tile");
        }
    }
}
