package kiln.kernels.probe;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Base64;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.zip.DataFormatException;
import java.util.zip.Deflater;
import java.util.zip.DeflaterOutputStream;
import java.util.zip.Inflater;

/**
 * What the instructions gave on cards of one compute capability, kept in a file: {@code sm_90.vectors}. Text: a line that names the format, the
 * capability and the card, then a line for each instruction with the CRC-32 of its operands (which {@link Probe} makes anew from their seed) and its
 * results, little-endian words, deflated, in Base64.
 *
 * <p>Immutable.
 *
 * @param capability of the card, times ten: 90
 * @param card the card's name
 * @param results by instruction
 */
public record Vectors(int capability, String card, Map<String, Entry> results) {
    private static final String HEADER = "kiln instruction vectors 1";
    private static final String SUFFIX = ".vectors";

    /** @param operandChecksum of the operands that the results belong to */
    public record Entry(int operandChecksum, int[] words) {
        public Entry {
            words = words.clone();
        }

        @Override
        public int[] words() {
            return words.clone();
        }
    }

    public Vectors {
        results = Collections.unmodifiableMap(new LinkedHashMap<>(results));
    }

    /** As they come from a card. */
    public static Entry entry(Probe probe, int[] results) {
        return new Entry(probe.operandChecksum(), results);
    }

    /** Whether there are results of the instruction: there are none of one that no kernel had then, or that the card has not. */
    public boolean has(Probe probe) {
        return results.containsKey(probe.instruction());
    }

    /**
     * The kept results of a probe, which {@link #has} some.
     *
     * @throws IllegalArgumentException in one line, when they are those of other operands
     */
    public int[] of(Probe probe) {
        Entry entry = results.get(probe.instruction());
        if (entry.operandChecksum != probe.operandChecksum()) {
            throw new IllegalArgumentException(
                    fileName() + ": " + probe.instruction() + " has other operands now than when its results were kept: leave them as they were, or keep a newer file");
        }
        return entry.words();
    }

    public String fileName() {
        return "sm_" + capability + SUFFIX;
    }

    /** Writes the file into a folder, which is made when missing, over one that was there; returns it. */
    public Path write(Path folder) throws IOException {
        Files.createDirectories(folder);
        StringBuilder text = new StringBuilder(HEADER + ", sm_" + capability + ", " + card + "\n");
        for (Map.Entry<String, Entry> each : results.entrySet()) {
            text.append(String.format("%s %08x ", each.getKey(), each.getValue().operandChecksum));
            text.append(Base64.getEncoder().encodeToString(deflated(each.getValue().words))).append('\n');
        }
        return Files.writeString(folder.resolve(fileName()), text);
    }

    /** @throws IOException in one line, when the file is no such file or damaged */
    public static Vectors read(Path file) throws IOException {
        List<String> lines = Files.readAllLines(file);
        String[] header = lines.isEmpty() ? new String[0] : lines.get(0).split(", ", 3);
        if (header.length != 3 || !header[0].equals(HEADER) || !header[1].matches("sm_\\d{2,3}")) {
            throw new IOException(file + " does not begin with '" + HEADER + ", sm_…, card'");
        }
        Map<String, Entry> results = new LinkedHashMap<>();
        for (int i = 1; i < lines.size(); i++) {
            String[] parts = lines.get(i).split(" ");
            try {
                if (parts.length != 3) {
                    throw new IllegalArgumentException(parts.length + " words instead of 3");
                }
                results.put(parts[0], new Entry(Integer.parseUnsignedInt(parts[1], 16), inflated(Base64.getDecoder().decode(parts[2]))));
            } catch (IllegalArgumentException | DataFormatException e) {
                throw new IOException(file + ", line " + (i + 1) + " is damaged: " + e.getMessage(), e);
            }
        }
        return new Vectors(Integer.parseInt(header[1].substring(3)), header[2], results);
    }

    private static byte[] deflated(int[] words) throws IOException {
        ByteBuffer bytes = ByteBuffer.allocate(Integer.BYTES * words.length).order(ByteOrder.LITTLE_ENDIAN);
        bytes.asIntBuffer().put(words);
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        Deflater deflater = new Deflater(Deflater.BEST_COMPRESSION);
        try (DeflaterOutputStream stream = new DeflaterOutputStream(out, deflater)) {
            stream.write(bytes.array());
        } finally {
            deflater.end();
        }
        return out.toByteArray();
    }

    private static int[] inflated(byte[] deflated) throws DataFormatException {
        Inflater inflater = new Inflater();
        try {
            inflater.setInput(deflated);
            byte[] bytes = new byte[1 << 20];
            int count = inflater.inflate(bytes);
            if (!inflater.finished() || count % Integer.BYTES != 0) {
                throw new DataFormatException("the results are cut off, or far too many");
            }
            int[] words = new int[count / Integer.BYTES];
            ByteBuffer.wrap(Arrays.copyOf(bytes, count)).order(ByteOrder.LITTLE_ENDIAN).asIntBuffer().get(words);
            return words;
        } finally {
            inflater.end();
        }
    }
}
