package kiln.runtime.image;

import java.nio.BufferUnderflowException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.Map;

/** The chunks of a WebP (RFC 9649): its size, EXIF and first frame are read from them, and EXIF is put among them. */
final class WebPFile {
    private static final int HEADER_BYTES = 12;
    private static final int CHUNK_HEADER_BYTES = 8;
    private static final int FRAME_HEADER_BYTES = 16;
    private static final int EXTENDED_BYTES = 10;
    private static final int HAS_ALPHA = 0x10;
    private static final int HAS_EXIF = 0x08;

    private WebPFile() {}

    static PictureFrame read(byte[] file) throws PictureDamage {
        try {
            return read(ByteBuffer.wrap(file).order(ByteOrder.LITTLE_ENDIAN), file);
        } catch (BufferUnderflowException | IndexOutOfBoundsException e) {
            throw new PictureDamage("it ends too early");
        }
    }

    private static PictureFrame read(ByteBuffer in, byte[] file) throws PictureDamage {
        Map<String, String> texts = new LinkedHashMap<>();
        int orientation = 1;
        int[] size = null;
        int[] pixels = null;
        PictureFrame frame = null;
        for (int at = HEADER_BYTES; at + CHUNK_HEADER_BYTES <= file.length;) {
            int body = at + CHUNK_HEADER_BYTES;
            long length = in.getInt(at + 4) & 0xffffffffL;
            String name = name(file, at);
            if (length > file.length - body) {
                throw new PictureDamage("it ends too early");
            }
            int end = body + (int) length;
            switch (name) {
                case "VP8X" -> size = new int[] {1 + threeBytes(in, body + 4), 1 + threeBytes(in, body + 7)};
                case "VP8 ", "VP8L" -> pixels = pixels == null ? size(in, name, body) : pixels;
                case "ANMF" -> frame = frame == null ? firstFrame(in, file, body, end) : frame;
                case "EXIF" -> {
                    Exif.Contents exif = Exif.read(Arrays.copyOfRange(file, body, end));
                    orientation = exif.orientation();
                    int budget = PictureLimits.MAX_TEXT_BYTES;
                    for (Map.Entry<String, String> text : exif.texts().entrySet()) {
                        budget = PictureTexts.put(texts, text.getKey(), text.getValue(), budget);
                    }
                }
                default -> { }
            }
            at = end + (int) (length & 1);
        }
        size = size == null ? pixels : size;
        if (size == null || frame == null && pixels == null) {
            throw new PictureDamage("no picture in it");
        }
        if (frame == null) {
            if (size[0] != pixels[0] || size[1] != pixels[1]) {
                throw new PictureDamage("two sizes, " + size[0] + "x" + size[1] + " and " + pixels[0] + "x" + pixels[1]);
            }
            return PictureFrame.whole(size[0], size[1], orientation, texts, file);
        }
        return new PictureFrame(
                size[0], size[1], orientation, texts, frame.still(), frame.x(), frame.y(), frame.stillWidth(), frame.stillHeight(), -1);
    }

    private static String name(byte[] file, int at) {
        return new String(file, at, 4, StandardCharsets.ISO_8859_1);
    }

    private static int threeBytes(ByteBuffer in, int at) {
        return in.getShort(at) & 0xffff | (in.get(at + 2) & 255) << 16;
    }

    /** Of the pixels themselves: lossy (RFC 6386, 9.1) or lossless. */
    private static int[] size(ByteBuffer in, String chunk, int body) {
        if (chunk.equals("VP8L")) {
            int bits = in.getInt(body + 1);
            return new int[] {1 + (bits & 0x3fff), 1 + (bits >> 14 & 0x3fff)};
        }
        return new int[] {in.getShort(body + 6) & 0x3fff, in.getShort(body + 8) & 0x3fff};
    }

    /** The frame's chunks as a file of their own. */
    private static PictureFrame firstFrame(ByteBuffer in, byte[] file, int body, int end) throws PictureDamage {
        int x = 2 * threeBytes(in, body);
        int y = 2 * threeBytes(in, body + 3);
        int width = 1 + threeBytes(in, body + 6);
        int height = 1 + threeBytes(in, body + 9);
        byte[] chunks = Arrays.copyOfRange(file, body + FRAME_HEADER_BYTES, end);
        boolean hasAlpha = chunks.length >= 4 && name(chunks, 0).equals("ALPH");
        // What the pixels say of their size must be what the frame says: a decoder believes the pixels.
        for (int at = 0; at + CHUNK_HEADER_BYTES <= chunks.length;) {
            ByteBuffer inside = ByteBuffer.wrap(chunks).order(ByteOrder.LITTLE_ENDIAN);
            String name = name(chunks, at);
            if (name.equals("VP8 ") || name.equals("VP8L")) {
                int[] size = size(inside, name, at + CHUNK_HEADER_BYTES);
                if (size[0] != width || size[1] != height) {
                    throw new PictureDamage("a frame of two sizes");
                }
                byte[] still = hasAlpha ? file(extended(HAS_ALPHA, width, height), chunks) : file(chunks);
                return new PictureFrame(0, 0, 1, Map.of(), still, x, y, width, height, -1);
            }
            long length = inside.getInt(at + 4) & 0xffffffffL;
            if (length > chunks.length) {
                break;
            }
            at += CHUNK_HEADER_BYTES + (int) (length + (length & 1));
        }
        throw new PictureDamage("a frame without a picture");
    }

    private static byte[] extended(int flags, int width, int height) {
        ByteBuffer body = ByteBuffer.allocate(EXTENDED_BYTES).order(ByteOrder.LITTLE_ENDIAN).putInt(flags);
        for (int side : new int[] {width, height}) {
            body.putShort((short) (side - 1)).put((byte) (side - 1 >> 16));
        }
        return chunk("VP8X", body.array());
    }

    private static byte[] chunk(String name, byte[] body) {
        return ByteBuffer.allocate(CHUNK_HEADER_BYTES + body.length + (body.length & 1)).order(ByteOrder.LITTLE_ENDIAN)
                .put(name.getBytes(StandardCharsets.ISO_8859_1)).putInt(body.length).put(body).array();
    }

    private static byte[] file(byte[]... chunks) {
        int length = Arrays.stream(chunks).mapToInt(chunk -> chunk.length).sum();
        ByteBuffer file = ByteBuffer.allocate(HEADER_BYTES + length).order(ByteOrder.LITTLE_ENDIAN)
                .put("RIFF".getBytes(StandardCharsets.US_ASCII)).putInt(4 + length).put("WEBP".getBytes(StandardCharsets.US_ASCII));
        Arrays.stream(chunks).forEach(file::put);
        return file.array();
    }

    /** A file of one opaque picture, as libwebp writes it, with {@code tiff} behind its pixels. */
    static byte[] withExif(byte[] file, byte[] tiff, int width, int height) {
        byte[] pixels = Arrays.copyOfRange(file, HEADER_BYTES, file.length);
        return file(extended(HAS_EXIF, width, height), pixels, chunk("EXIF", tiff));
    }
}
