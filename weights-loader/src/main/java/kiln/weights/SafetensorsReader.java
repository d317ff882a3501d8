package kiln.weights;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonParseException;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.JsonToken;
import com.fasterxml.jackson.core.StreamReadConstraints;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import kiln.weights.WeightsException.Kind;
import kiln.weights.map.MappableFile;

/**
 * Reads a safetensors file's index: eight bytes of header length, a JSON header, then the elements of all tensors, side by
 * side without gaps. The checks are those of the format's own library: a file that passes here passes there.
 */
final class SafetensorsReader {
    static final String FORMAT = "safetensors";

    /** The format's own limit, and ours. */
    static final long MAX_HEADER_BYTES = 100_000_000;

    private static final int LENGTH_BYTES = Long.BYTES;
    private static final JsonFactory JSON = JsonFactory.builder()
            .disable(JsonFactory.Feature.CANONICALIZE_FIELD_NAMES)
            .disable(JsonFactory.Feature.INTERN_FIELD_NAMES)
            .streamReadConstraints(StreamReadConstraints.builder()
                    .maxNestingDepth(16)
                    .maxNumberLength(20)
                    .maxNameLength(1 << 16)
                    .maxStringLength((int) MAX_HEADER_BYTES)
                    .build())
            .build();

    private record Span(String name, long begin, long end) {}

    private final Path path;
    private final JsonParser parser;
    private final long dataBytes;
    private final long dataOffset;
    private final Map<String, TensorEntry> entries = new LinkedHashMap<>();
    private final Map<String, String> metadata = new LinkedHashMap<>();
    private final List<Span> spans = new ArrayList<>();

    private SafetensorsReader(Path path, JsonParser parser, long dataOffset, long dataBytes) {
        this.path = path;
        this.parser = parser;
        this.dataOffset = dataOffset;
        this.dataBytes = dataBytes;
    }

    static WeightsIndex read(Path path, MappableFile file) throws IOException {
        if (file.size() < LENGTH_BYTES) {
            throw new WeightsException(Kind.CORRUPT, path, 0,
                    "a safetensors file starts with 8 bytes of header length, this one has " + file.size() + " in all");
        }
        long length = ByteBuffer.wrap(file.read(0, LENGTH_BYTES)).order(ByteOrder.LITTLE_ENDIAN).getLong();
        if (length < 0 || length > MAX_HEADER_BYTES) {
            throw new WeightsException(Kind.CORRUPT, path, 0, "the safetensors header claims "
                    + Long.toUnsignedString(length) + " bytes, the format allows " + MAX_HEADER_BYTES);
        }
        long dataOffset = LENGTH_BYTES + length;
        if (dataOffset > file.size()) {
            throw new WeightsException(Kind.CORRUPT, path, 0, "the safetensors header claims " + length
                    + " bytes, the file ends after " + (file.size() - LENGTH_BYTES) + ": is the download complete?");
        }
        byte[] header = file.read(LENGTH_BYTES, (int) length);
        return read(path, header, dataOffset, file.size() - dataOffset);
    }

    /** Parses a header apart from its file; {@code dataBytes} are the bytes that follow it. */
    static WeightsIndex read(Path path, byte[] header, long dataOffset, long dataBytes) throws IOException {
        if (header.length == 0 || header[0] != '{') {
            throw new WeightsException(Kind.CORRUPT, path, LENGTH_BYTES, "the safetensors header does not start with {");
        }
        if (header.length > 1 && header[1] == 0) {
            // The parser would take it for UTF-16.
            throw new WeightsException(Kind.CORRUPT, path, LENGTH_BYTES + 1, "the safetensors header is not UTF-8");
        }
        try (JsonParser parser = JSON.createParser(header)) {
            SafetensorsReader reader = new SafetensorsReader(path, parser, dataOffset, dataBytes);
            try {
                reader.readHeader();
            } catch (JsonParseException e) {
                throw reader.corrupt("the safetensors header is not JSON: " + e.getOriginalMessage().lines().findFirst().orElse(""),
                        e.getLocation() == null ? 0 : Math.max(0, e.getLocation().getByteOffset()));
            } catch (JsonProcessingException e) {
                throw reader.corrupt("the safetensors header is not acceptable JSON: "
                        + e.getOriginalMessage().lines().findFirst().orElse(""));
            }
            reader.checkSpans();
            return new WeightsIndex(FORMAT, reader.metadata, reader.entries);
        }
    }

    private void readHeader() throws IOException {
        expect(parser.nextToken(), JsonToken.START_OBJECT, "an object");
        boolean metadataSeen = false;
        while (parser.nextToken() != JsonToken.END_OBJECT) {
            String name = parser.currentName();
            long at = position();
            parser.nextToken();
            if (name.equals("__metadata__")) {
                if (metadataSeen) {
                    throw corrupt("__metadata__ is there twice", at);
                }
                metadataSeen = true;
                readMetadata();
            } else {
                readTensor(name, at);
            }
        }
        if (parser.nextToken() != null) {
            throw corrupt("the safetensors header goes on after its end");
        }
    }

    private void readMetadata() throws IOException {
        if (parser.currentToken() == JsonToken.VALUE_NULL) {
            return;
        }
        expect(parser.currentToken(), JsonToken.START_OBJECT, "an object of metadata");
        while (parser.nextToken() != JsonToken.END_OBJECT) {
            String key = parser.currentName();
            expect(parser.nextToken(), JsonToken.VALUE_STRING, "a string as metadata");
            if (metadata.put(key, parser.getText()) != null) {
                throw corrupt("the metadata key " + WeightsException.quote(key) + " is there twice");
            }
        }
    }

    private void readTensor(String name, long at) throws IOException {
        expect(parser.currentToken(), JsonToken.START_OBJECT, "an object for tensor " + WeightsException.quote(name));
        DType dtype = null;
        long[] shape = null;
        long[] span = null;
        while (parser.nextToken() != JsonToken.END_OBJECT) {
            String field = parser.currentName();
            boolean twice;
            switch (field) {
                case "dtype" -> {
                    twice = dtype != null;
                    expect(parser.nextToken(), JsonToken.VALUE_STRING, "a name as dtype");
                    dtype = dtype(name);
                }
                case "shape" -> {
                    twice = shape != null;
                    shape = readSizes("shape", name);
                }
                case "data_offsets" -> {
                    twice = span != null;
                    span = readSizes("data_offsets", name);
                }
                default -> {
                    twice = false;
                    parser.nextToken();
                    parser.skipChildren();
                }
            }
            if (twice) {
                throw corrupt(field + " of tensor " + WeightsException.quote(name) + " is there twice");
            }
        }
        if (dtype == null || shape == null || span == null) {
            throw corrupt("tensor " + WeightsException.quote(name) + " lacks "
                    + (dtype == null ? "dtype" : shape == null ? "shape" : "data_offsets"), at);
        }
        add(name, dtype, shape, span, at);
    }

    private DType dtype(String name) throws IOException {
        try {
            return DType.ofSafetensors(parser.getText());
        } catch (IllegalArgumentException e) {
            throw new WeightsException(Kind.UNSUPPORTED, path, LENGTH_BYTES + position(),
                    "tensor " + WeightsException.quote(name) + ": " + e.getMessage());
        }
    }

    private void add(String name, DType dtype, long[] shape, long[] span, long at) {
        if (span.length != 2 || span[0] > span[1] || span[1] > dataBytes) {
            throw corrupt("tensor " + WeightsException.quote(name) + " claims the bytes " + join(span) + " of " + dataBytes
                    + (span.length == 2 && span[0] <= span[1] ? ": is the download complete?" : ""), at);
        }
        TensorInfo info;
        try {
            info = new TensorInfo(name, dtype, shape);
        } catch (IllegalArgumentException e) {
            throw corrupt("tensor " + WeightsException.quote(name) + ": " + e.getMessage(), at);
        }
        if (info.bytes() != span[1] - span[0]) {
            throw corrupt("tensor " + WeightsException.quote(name) + " needs " + info.bytes() + " bytes for " + dtype + " "
                    + info.shape() + ", it has " + (span[1] - span[0]), at);
        }
        if (entries.put(name, TensorEntry.contiguous(info, dataOffset + span[0])) != null) {
            throw corrupt("tensor " + WeightsException.quote(name) + " is there twice", at);
        }
        spans.add(new Span(name, span[0], span[1]));
    }

    private long[] readSizes(String field, String name) throws IOException {
        expect(parser.nextToken(), JsonToken.START_ARRAY, "a list as " + field);
        long[] sizes = new long[4];
        int count = 0;
        while (parser.nextToken() != JsonToken.END_ARRAY) {
            expect(parser.currentToken(), JsonToken.VALUE_NUMBER_INT, "whole numbers in " + field);
            boolean isLong = parser.getNumberType() != JsonParser.NumberType.BIG_INTEGER;
            if (!isLong || parser.getLongValue() < 0) {
                throw corrupt(field + " of tensor " + WeightsException.quote(name) + " has " + parser.getText()
                        + ", which is no possible size");
            }
            if (count == sizes.length) {
                sizes = java.util.Arrays.copyOf(sizes, 2 * count);
            }
            sizes[count++] = parser.getLongValue();
        }
        return java.util.Arrays.copyOf(sizes, count);
    }

    /** The format wants every byte after the header to belong to exactly one tensor. */
    private void checkSpans() {
        spans.sort(Comparator.comparingLong(Span::begin).thenComparingLong(Span::end));
        long end = 0;
        String before = "the header";
        for (Span span : spans) {
            if (span.begin() < end) {
                throw new WeightsException(Kind.CORRUPT, path, dataOffset + span.begin(), "tensor "
                        + WeightsException.quote(span.name()) + " overlaps " + before);
            }
            if (span.begin() > end) {
                throw new WeightsException(Kind.CORRUPT, path, dataOffset + end, (span.begin() - end)
                        + " bytes before tensor " + WeightsException.quote(span.name()) + " belong to no tensor");
            }
            end = span.end();
            before = "tensor " + WeightsException.quote(span.name());
        }
        if (end != dataBytes) {
            throw new WeightsException(Kind.CORRUPT, path, dataOffset + end,
                    (dataBytes - end) + " bytes after the last tensor belong to no tensor");
        }
    }

    private static String join(long[] span) {
        return java.util.Arrays.stream(span).limit(4).mapToObj(Long::toString)
                .collect(java.util.stream.Collectors.joining(" to "));
    }

    private void expect(JsonToken found, JsonToken wanted, String description) {
        if (found != wanted) {
            throw corrupt("the safetensors header needs " + description + ", found "
                    + (found == null ? "its end" : found.asString() != null ? found.asString() : found.name()));
        }
    }

    private long position() {
        return Math.max(0, parser.currentTokenLocation().getByteOffset());
    }

    private WeightsException corrupt(String detail) {
        return corrupt(detail, position());
    }

    private WeightsException corrupt(String detail, long headerPosition) {
        return new WeightsException(Kind.CORRUPT, path, LENGTH_BYTES + headerPosition, detail);
    }
}
