package kiln.runtime.image;

/** How EXIF says that a picture is to be turned and mirrored before it is shown. */
final class Orientation {
    private Orientation() {}

    /**
     * @param values {@code channels} bytes a pixel, row by row
     * @param orientation EXIF's, 1 to 8: from 5 on rows become columns
     */
    static byte[] upright(byte[] values, int width, int height, int channels, int orientation) {
        if (orientation == 1 || values == null) {
            return values;
        }
        boolean swapped = isSwapped(orientation);
        int newWidth = swapped ? height : width;
        int newHeight = swapped ? width : height;
        byte[] turned = new byte[values.length];
        for (int y = 0; y < newHeight; y++) {
            for (int x = 0; x < newWidth; x++) {
                int fromX = swapped ? y : x;
                int fromY = swapped ? x : y;
                boolean mirroredX = orientation == 2 || orientation == 3 || orientation == 7 || orientation == 8;
                boolean mirroredY = orientation == 3 || orientation == 4 || orientation == 6 || orientation == 7;
                fromX = mirroredX ? width - 1 - fromX : fromX;
                fromY = mirroredY ? height - 1 - fromY : fromY;
                System.arraycopy(values, channels * (fromY * width + fromX), turned, channels * (y * newWidth + x), channels);
            }
        }
        return turned;
    }

    static boolean isSwapped(int orientation) {
        return orientation >= 5;
    }
}
