package kiln.runtime.image;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Map;

/** The header of a Windows bitmap: its size. */
final class BmpFile {
    private static final int LEAST_BYTES = 26;
    private static final int OLD_HEADER = 12;

    private BmpFile() {}

    static PictureFrame read(byte[] file) throws PictureDamage {
        if (file.length < LEAST_BYTES) {
            throw new PictureDamage("it ends too early");
        }
        ByteBuffer in = ByteBuffer.wrap(file).order(ByteOrder.LITTLE_ENDIAN);
        if (in.getInt(14) == OLD_HEADER) {
            return PictureFrame.whole(in.getShort(18) & 0xffff, in.getShort(20) & 0xffff, 1, Map.of(), file);
        }
        // A negative height has its rows from the top.
        long height = Math.abs((long) in.getInt(22));
        return PictureFrame.whole(in.getInt(18), (int) Math.min(height, Integer.MAX_VALUE), 1, Map.of(), file);
    }
}
