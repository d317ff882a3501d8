package kiln.runtime.image;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.zip.GZIPOutputStream;
import org.junit.jupiter.api.Test;

class StealthTextTest {
    private static final int WIDTH = 40;
    private static final int HEIGHT = 31;
    private static final String TEXT = "{\"prompt\": \"猫\"}";

    private static byte[] packed(String text) {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        try (GZIPOutputStream gzip = new GZIPOutputStream(out)) {
            gzip.write(text.getBytes(StandardCharsets.UTF_8));
        } catch (IOException e) {
            throw new AssertionError(e);
        }
        return out.toByteArray();
    }

    private static byte[] message(String signature, byte[] data, int bits) {
        return ByteBuffer.allocate(19 + data.length).put(signature.getBytes(StandardCharsets.US_ASCII)).putInt(bits).put(data).array();
    }

    private static int bit(byte[] message, int index) {
        return index / 8 < message.length ? message[index / 8] >> 7 - index % 8 & 1 : 0;
    }

    private static String inAlpha(byte[] message) {
        byte[] alpha = new byte[WIDTH * HEIGHT];
        Arrays.fill(alpha, (byte) 254);
        for (int x = 0; x < WIDTH; x++) {
            for (int y = 0; y < HEIGHT; y++) {
                alpha[y * WIDTH + x] |= (byte) bit(message, x * HEIGHT + y);
            }
        }
        return StealthText.read(new Picture(WIDTH, HEIGHT, new byte[3 * WIDTH * HEIGHT]), alpha);
    }

    private static String inColours(byte[] message) {
        byte[] rgb = new byte[3 * WIDTH * HEIGHT];
        int index = 0;
        for (int x = 0; x < WIDTH; x++) {
            for (int y = 0; y < HEIGHT; y++) {
                for (int c = 0; c < 3; c++) {
                    rgb[3 * (y * WIDTH + x) + c] = (byte) (100 | bit(message, index++));
                }
            }
        }
        return StealthText.read(new Picture(WIDTH, HEIGHT, rgb), null);
    }

    @Test
    void textIsReadFromAlphaAndFromColoursPlainAndPacked() {
        byte[] plain = TEXT.getBytes(StandardCharsets.UTF_8);
        byte[] packed = packed(TEXT);
        assertThat(inAlpha(message("stealth_pnginfo", plain, 8 * plain.length))).isEqualTo(TEXT);
        assertThat(inAlpha(message("stealth_pngcomp", packed, 8 * packed.length))).isEqualTo(TEXT);
        assertThat(inColours(message("stealth_rgbinfo", plain, 8 * plain.length))).isEqualTo(TEXT);
        assertThat(inColours(message("stealth_rgbcomp", packed, 8 * packed.length))).isEqualTo(TEXT);
    }

    @Test
    void falseLengthsAndDamagedDataAreNoText() {
        byte[] plain = TEXT.getBytes(StandardCharsets.UTF_8);
        assertThat(inAlpha(message("stealth_pnginfo", plain, -1))).isNull();
        assertThat(inAlpha(message("stealth_pnginfo", plain, WIDTH * HEIGHT))).isNull();
        assertThat(inAlpha(message("stealth_pngcomp", plain, 8 * plain.length))).isNull();
        assertThat(inAlpha(message("stealth_rgbinfo", plain, 8 * plain.length))).isNull();
        assertThat(inAlpha(new byte[19])).isNull();
    }
}
