package kiln.runtime.image;

import java.io.ByteArrayOutputStream;
import java.nio.BufferUnderflowException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.LinkedHashMap;
import java.util.Map;

/** The blocks of a GIF (GIF89a): its size, comments and first frame. */
final class GifFile {
    private static final int HEADER_BYTES = 13;
    private static final int EXTENSION = 0x21;
    private static final int IMAGE = 0x2c;
    private static final int TRAILER = 0x3b;
    private static final int COMMENT = 0xfe;
    private static final int CONTROL = 0xf9;
    private static final int IMAGE_HEADER_BYTES = 10;

    private final ByteBuffer in;
    private final Map<String, String> texts = new LinkedHashMap<>();
    private final ByteArrayOutputStream still = new ByteArrayOutputStream();

    private GifFile(byte[] file) {
        in = ByteBuffer.wrap(file).order(ByteOrder.LITTLE_ENDIAN);
    }

    static PictureFrame read(byte[] file) throws PictureDamage {
        try {
            return new GifFile(file).read();
        } catch (BufferUnderflowException | IndexOutOfBoundsException | IllegalArgumentException e) {
            throw new PictureDamage("it ends too early");
        }
    }

    private PictureFrame read() throws PictureDamage {
        int width = in.getShort(6) & 0xffff;
        int height = in.getShort(8) & 0xffff;
        copy(0, HEADER_BYTES + colours(in.get(10)));
        PictureFrame frame = null;
        int transparent = -1;
        while (in.hasRemaining()) {
            int begin = in.position();
            int block = in.get() & 255;
            if (block == TRAILER) {
                break;
            } else if (block == EXTENSION) {
                int label = in.get() & 255;
                byte[] data = blocks();
                if (label == COMMENT) {
                    PictureTexts.put(texts, PictureTexts.COMMENT, new String(data, StandardCharsets.UTF_8), PictureLimits.MAX_TEXT_BYTES);
                } else if (label == CONTROL && frame == null) {
                    copy(begin, in.position() - begin);
                    transparent = data.length >= 4 && (data[0] & 1) != 0 ? data[3] & 255 : -1;
                }
            } else if (block == IMAGE) {
                int flags = in.get(begin + 9);
                in.position(begin + IMAGE_HEADER_BYTES + colours(flags) + 1);
                blocks();
                if (frame == null) {
                    copy(begin, in.position() - begin);
                    still.write(TRAILER);
                    int x = in.getShort(begin + 1) & 0xffff;
                    int y = in.getShort(begin + 3) & 0xffff;
                    int frameWidth = in.getShort(begin + 5) & 0xffff;
                    int frameHeight = in.getShort(begin + 7) & 0xffff;
                    frame = new PictureFrame(
                            Math.max(width, x + frameWidth), Math.max(height, y + frameHeight), 1, texts, still.toByteArray(), x, y,
                            frameWidth, frameHeight, transparent);
                }
            } else {
                throw new PictureDamage("a damaged block");
            }
        }
        if (frame == null) {
            throw new PictureDamage("no picture in it");
        }
        return frame;
    }

    private static int colours(int flags) {
        return (flags & 0x80) == 0 ? 0 : 3 << (flags & 7) + 1;
    }

    /** Copies into the file of one frame and goes on behind. */
    private void copy(int from, int length) {
        byte[] bytes = new byte[length];
        in.get(from, bytes);
        still.writeBytes(bytes);
        in.position(from + length);
    }

    /** What the blocks up to an empty one hold together. */
    private byte[] blocks() {
        ByteArrayOutputStream data = new ByteArrayOutputStream();
        for (int length = in.get() & 255; length > 0; length = in.get() & 255) {
            byte[] block = new byte[length];
            in.get(block);
            data.writeBytes(block);
        }
        return data.toByteArray();
    }
}
