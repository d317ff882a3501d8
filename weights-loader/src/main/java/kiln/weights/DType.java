package kiln.weights;

import java.util.HashMap;
import java.util.Map;

/**
 * The number format of a tensor's elements, by safetensors' names. Bytes are little-endian in every file this module reads.
 *
 * <p>Formats below one byte are packed without gaps, so only the size of a whole tensor is a number of bytes.
 */
public enum DType {
    BOOL("BOOL", 8),
    F4("F4", 4),
    F6_E2M3("F6_E2M3", 6),
    F6_E3M2("F6_E3M2", 6),
    U8("U8", 8),
    I8("I8", 8),
    F8_E5M2("F8_E5M2", 8),
    F8_E4M3("F8_E4M3", 8),
    F8_E8M0("F8_E8M0", 8),
    F8_E4M3FNUZ("F8_E4M3FNUZ", 8),
    F8_E5M2FNUZ("F8_E5M2FNUZ", 8),
    I16("I16", 16),
    U16("U16", 16),
    F16("F16", 16),
    BF16("BF16", 16),
    I32("I32", 32),
    U32("U32", 32),
    F32("F32", 32),
    C64("C64", 64),
    F64("F64", 64),
    I64("I64", 64),
    U64("U64", 64);

    private static final Map<String, DType> BY_SAFETENSORS_NAME = new HashMap<>();

    static {
        for (DType dtype : values()) {
            BY_SAFETENSORS_NAME.put(dtype.safetensorsName, dtype);
        }
    }

    private final String safetensorsName;
    private final int bits;

    DType(String safetensorsName, int bits) {
        this.safetensorsName = safetensorsName;
        this.bits = bits;
    }

    /** The name in a safetensors header, for instance {@code BF16}. */
    public String safetensorsName() {
        return safetensorsName;
    }

    /**
     * The format of that safetensors name.
     *
     * @throws IllegalArgumentException when there is none
     */
    public static DType ofSafetensors(String name) {
        DType dtype = BY_SAFETENSORS_NAME.get(name);
        if (dtype == null) {
            throw new IllegalArgumentException("no number format is called " + WeightsException.quote(name));
        }
        return dtype;
    }

    /** Bits of one element. */
    public int bits() {
        return bits;
    }

    /**
     * Bytes of one element.
     *
     * @throws UnsupportedOperationException when an element is smaller than a byte
     */
    public int bytes() {
        if (bits % 8 != 0) {
            throw new UnsupportedOperationException(this + " has " + bits + " bits an element");
        }
        return bits / 8;
    }

    /** Whether an element converts to one float: not the complex format, and not those whose packing safetensors leaves open. */
    public boolean convertsToF32() {
        return this != C64 && bits >= 8;
    }
}
