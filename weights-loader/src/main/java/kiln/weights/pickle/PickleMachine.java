package kiln.weights.pickle;

import java.math.BigInteger;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * Reads one pickle of protocol 0 to 5 into {@link Inert} values. Every opcode makes at most one value and takes at least one
 * byte, sizes are checked against the input before anything is allocated, and there is no recursion, so time and memory
 * grow with the input only. Not thread-safe; used once.
 */
public final class PickleMachine {
    /** Values in one pickle; a checkpoint with its optimizer has some ten thousand. */
    static final int MAX_VALUES = 1 << 21;

    /** Names kept of those that a pickle names; a whole training state has some dozens. */
    static final int MAX_GLOBALS = 1000;

    private static final String LONG_NAME = "(a very long name)";
    private static final int MAX_LINE_BYTES = 1 << 16;
    private static final int MAX_INTEGER_BYTES = 1024;
    private static final int MAX_PROTOCOL = 5;

    private final ByteBuffer input;
    private final List<Object> stack = new ArrayList<>();
    private final Map<Integer, Object> memo = new HashMap<>();
    private final List<Inert.Reference> references = new ArrayList<>();
    private final Set<String> globals = new LinkedHashSet<>();
    private int[] marks = new int[16];
    private int markCount;
    private int valueCount;
    private int opcodePosition;

    private PickleMachine(ByteBuffer input) {
        this.input = input;
    }

    /**
     * A pickle's value, and all persistent ids in the order in which they came, also those that the value dropped.
     *
     * @param globals qualified names of the classes and functions that it names, whether it asks to call them or not: at most
     *     {@value #MAX_GLOBALS}
     */
    public record Result(Object value, List<Inert.Reference> references, List<String> globals) {}

    /** Reads the pickle at the buffer's position, and leaves the position after its end. */
    public static Result read(ByteBuffer input) throws PickleException {
        ByteBuffer own = input.duplicate().order(ByteOrder.LITTLE_ENDIAN);
        PickleMachine machine = new PickleMachine(own);
        Object value = machine.run();
        input.position(own.position());
        return new Result(value, Collections.unmodifiableList(machine.references), List.copyOf(machine.globals));
    }

    private Object run() throws PickleException {
        while (true) {
            opcodePosition = input.position();
            int opcode = u8();
            if (opcode == '.') {
                return pop();
            }
            if (++valueCount > MAX_VALUES) {
                throw new PickleException(opcodePosition, true, "the pickle has more than " + MAX_VALUES + " operations");
            }
            if (!number(opcode) && !text(opcode) && !container(opcode) && !stackOrMemo(opcode) && !object(opcode)) {
                throw corrupt("there is no pickle operation " + String.format("0x%02x", opcode));
            }
        }
    }

    private boolean number(int opcode) throws PickleException {
        switch (opcode) {
            case 'N' -> push(null);
            case 0x88 -> push(Boolean.TRUE);
            case 0x89 -> push(Boolean.FALSE);
            case 'I' -> push(decimalOrBoolean(line()));
            case 'J' -> push((long) s32());
            case 'K' -> push((long) u8());
            case 'M' -> push((long) u16());
            case 'L' -> {
                String digits = line();
                push(decimal(digits.endsWith("L") ? digits.substring(0, digits.length() - 1) : digits));
            }
            case 0x8a -> push(integer(u8()));
            case 0x8b -> push(integer(s32()));
            case 'F' -> {
                try {
                    push(pythonDouble(line()));
                } catch (NumberFormatException e) {
                    throw corrupt("a float is not a number");
                }
            }
            case 'G' -> push(Double.longBitsToDouble(Long.reverseBytes(s64())));
            default -> {
                return false;
            }
        }
        return true;
    }

    private boolean text(int opcode) throws PickleException {
        switch (opcode) {
            case 'V' -> push(line());
            case 'X' -> push(utf8(u32()));
            case 0x8c -> push(utf8(u8()));
            case 0x8d -> push(utf8(s64()));
            case 'S' -> push(unquoted(line()));
            case 'T' -> push(new String(bytes(u32()), StandardCharsets.UTF_8));
            case 'U' -> push(new String(bytes(u8()), StandardCharsets.UTF_8));
            case 'B' -> push(bytes(u32()));
            case 'C' -> push(bytes(u8()));
            case 0x8e, 0x96 -> push(bytes(s64()));
            default -> {
                return false;
            }
        }
        return true;
    }

    private boolean container(int opcode) throws PickleException {
        switch (opcode) {
            case ')', ']', 0x8f -> push(new Inert.Sequence());
            case 't', 'l', 0x91 -> push(new Inert.Sequence(popToMark()));
            case 0x85 -> push(new Inert.Sequence(popMany(1)));
            case 0x86 -> push(new Inert.Sequence(popMany(2)));
            case 0x87 -> push(new Inert.Sequence(popMany(3)));
            case '}' -> push(new Inert.Dict());
            case 'd' -> {
                Inert.Dict dict = new Inert.Dict();
                dict.putAll(pairs(popToMark()));
                push(dict);
            }
            case 'a' -> append(popMany(1));
            case 'e', 0x90 -> append(popToMark());
            case 's' -> setItems(popMany(2));
            case 'u' -> setItems(popToMark());
            default -> {
                return false;
            }
        }
        return true;
    }

    private boolean stackOrMemo(int opcode) throws PickleException {
        switch (opcode) {
            case '(' -> mark();
            case '0' -> {
                if (markCount > 0 && marks[markCount - 1] == stack.size()) {
                    markCount--;
                } else {
                    pop();
                }
            }
            case '1' -> popToMark();
            case '2' -> push(peek());
            case 'p' -> memo.put(memoIndex(line()), peek());
            case 'q' -> memo.put(u8(), peek());
            case 'r' -> memo.put(s32(), peek());
            case 0x94 -> memo.put(memo.size(), peek());
            case 'g' -> push(remembered(memoIndex(line())));
            case 'h' -> push(remembered(u8()));
            case 'j' -> push(remembered(s32()));
            case 0x80 -> {
                int protocol = u8();
                if (protocol > MAX_PROTOCOL) {
                    throw new PickleException(opcodePosition, true, "pickle protocol " + protocol + ", known are 0 to 5");
                }
            }
            case 0x95 -> {
                long frame = s64();
                if (frame < 0 || frame > input.remaining()) {
                    throw ended("a frame of " + Long.toUnsignedString(frame) + " bytes");
                }
            }
            default -> {
                return false;
            }
        }
        return true;
    }

    private boolean object(int opcode) throws PickleException {
        switch (opcode) {
            case 'c' -> {
                String module = line();
                push(global(module, line()));
            }
            case 0x93 -> {
                Object[] names = popMany(2);
                if (!(names[0] instanceof String module) || !(names[1] instanceof String name)) {
                    throw corrupt("a class without a name");
                }
                push(global(module, name));
            }
            case 'R', 0x81 -> {
                Object[] call = popMany(2);
                push(new Inert.Instance(call[0], call[1], opcodePosition));
            }
            case 0x92 -> {
                Object[] call = popMany(3);
                push(new Inert.Instance(call[0], call[1], opcodePosition));
            }
            case 'i' -> {
                String module = line();
                Inert.Global callable = global(module, line());
                push(new Inert.Instance(callable, new Inert.Sequence(popToMark()), opcodePosition));
            }
            case 'o' -> {
                Object[] call = popToMark();
                if (call.length == 0) {
                    throw corrupt("an object without a class");
                }
                Inert.Sequence arguments = new Inert.Sequence(Arrays.copyOfRange(call, 1, call.length));
                push(new Inert.Instance(call[0], arguments, opcodePosition));
            }
            case 'b' -> {
                Object state = pop();
                // A state given to anything else would become attributes, and plain values have none.
                if (peek() instanceof Inert.Instance instance) {
                    instance.setState(state);
                }
            }
            case 'P' -> refer(line());
            case 'Q' -> refer(pop());
            case 0x82, 0x83, 0x84, 0x97, 0x98 -> throw new PickleException(opcodePosition, true,
                    "pickle operation " + String.format("0x%02x", opcode) + " needs what only the writing program had");
            default -> {
                return false;
            }
        }
        return true;
    }

    private Inert.Global global(String module, String name) {
        Inert.Global global = new Inert.Global(module, name);
        if (globals.size() < MAX_GLOBALS) {
            globals.add(global.qualifiedName().isEmpty() ? LONG_NAME : global.qualifiedName());
        }
        return global;
    }

    private void refer(Object id) {
        Inert.Reference reference = new Inert.Reference(id);
        references.add(reference);
        push(reference);
    }

    private void append(Object[] items) throws PickleException {
        List<Object> more = Arrays.asList(items);
        Object target = peek();
        if (target instanceof Inert.Sequence sequence) {
            sequence.addAll(more);
        } else if (target instanceof Inert.Instance instance) {
            instance.itemsForWriting().addAll(more);
        } else {
            throw corrupt("items are added to what is no list");
        }
    }

    private void setItems(Object[] items) throws PickleException {
        List<Object> more = pairs(items);
        Object target = peek();
        if (target instanceof Inert.Dict dict) {
            dict.putAll(more);
        } else if (target instanceof Inert.Instance instance) {
            instance.entriesForWriting().putAll(more);
        } else {
            throw corrupt("entries are set in what is no dict");
        }
    }

    private List<Object> pairs(Object[] items) throws PickleException {
        if (items.length % 2 != 0) {
            throw corrupt("a dict entry without a value");
        }
        return Arrays.asList(items);
    }

    private void push(Object value) {
        stack.add(value);
    }

    private Object pop() throws PickleException {
        return popMany(1)[0];
    }

    private Object peek() throws PickleException {
        need(1);
        return stack.get(stack.size() - 1);
    }

    private Object[] popMany(int count) throws PickleException {
        need(count);
        return takeFrom(stack.size() - count);
    }

    private Object[] popToMark() throws PickleException {
        if (markCount == 0) {
            throw corrupt("a pickle operation needs a mark, there is none");
        }
        return takeFrom(marks[--markCount]);
    }

    private Object[] takeFrom(int index) {
        List<Object> top = stack.subList(index, stack.size());
        Object[] taken = top.toArray();
        top.clear();
        return taken;
    }

    private void need(int count) throws PickleException {
        int available = stack.size() - (markCount == 0 ? 0 : marks[markCount - 1]);
        if (available < count) {
            throw corrupt("a pickle operation needs " + count + " value" + (count > 1 ? "s" : "") + ", there "
                    + (available == 1 ? "is 1" : "are " + available));
        }
    }

    private void mark() {
        if (markCount == marks.length) {
            marks = Arrays.copyOf(marks, 2 * markCount);
        }
        marks[markCount++] = stack.size();
    }

    private Object remembered(int index) throws PickleException {
        Object value = memo.get(index);
        if (value == null && !memo.containsKey(index)) {
            throw corrupt("the pickle refers to value " + Integer.toUnsignedString(index) + " before it is there");
        }
        return value;
    }

    private int memoIndex(String digits) throws PickleException {
        try {
            return Integer.parseUnsignedInt(digits);
        } catch (NumberFormatException e) {
            throw corrupt("a reference that is no number");
        }
    }

    private Object decimalOrBoolean(String digits) throws PickleException {
        return switch (digits) {
            case "00" -> Boolean.FALSE;
            case "01" -> Boolean.TRUE;
            default -> decimal(digits);
        };
    }

    private Object decimal(String digits) throws PickleException {
        if (digits.length() > MAX_INTEGER_BYTES) {
            throw new PickleException(opcodePosition, true, "an integer of " + digits.length() + " digits");
        }
        try {
            return narrowed(new BigInteger(digits));
        } catch (NumberFormatException e) {
            throw corrupt("an integer is not a number");
        }
    }

    private static double pythonDouble(String text) {
        return switch (text) {
            case "inf" -> Double.POSITIVE_INFINITY;
            case "-inf" -> Double.NEGATIVE_INFINITY;
            case "nan" -> Double.NaN;
            default -> Double.parseDouble(text);
        };
    }

    private Object integer(int length) throws PickleException {
        if (length < 0 || length > MAX_INTEGER_BYTES) {
            throw new PickleException(opcodePosition, true, "an integer of " + Integer.toUnsignedString(length) + " bytes");
        }
        byte[] littleEndian = bytes(length);
        if (length == 0) {
            return 0L;
        }
        byte[] bigEndian = new byte[length];
        for (int i = 0; i < length; i++) {
            bigEndian[i] = littleEndian[length - 1 - i];
        }
        return narrowed(new BigInteger(bigEndian));
    }

    private static Object narrowed(BigInteger value) {
        if (value.bitLength() < Long.SIZE) {
            return value.longValue();
        }
        return value;
    }

    /** A Python string literal without its quotes. Escapes stay as they are: no name or number that is read has any. */
    private String unquoted(String literal) throws PickleException {
        int last = literal.length() - 1;
        if (last < 1 || literal.charAt(0) != literal.charAt(last) || literal.charAt(0) != '\'' && literal.charAt(0) != '"') {
            throw corrupt("a string without quotes");
        }
        return literal.substring(1, last);
    }

    private String line() throws PickleException {
        int start = input.position();
        int end = start;
        int limit = (int) Math.min(input.limit(), (long) start + MAX_LINE_BYTES);
        while (end < limit && input.get(end) != '\n') {
            end++;
        }
        if (end == input.limit()) {
            throw ended("the end of a line");
        }
        if (end == limit) {
            throw new PickleException(opcodePosition, true, "a line of more than " + MAX_LINE_BYTES + " bytes");
        }
        byte[] line = bytes(end - start);
        u8();
        return new String(line, StandardCharsets.UTF_8);
    }

    private String utf8(long length) throws PickleException {
        return new String(bytes(length), StandardCharsets.UTF_8);
    }

    private byte[] bytes(long length) throws PickleException {
        if (length < 0 || length > input.remaining()) {
            throw ended(Long.toUnsignedString(length) + " bytes");
        }
        byte[] bytes = new byte[(int) length];
        input.get(bytes);
        return bytes;
    }

    private int u8() throws PickleException {
        available(1);
        return input.get() & 0xff;
    }

    private int u16() throws PickleException {
        available(2);
        return input.getShort() & 0xffff;
    }

    private int s32() throws PickleException {
        available(4);
        return input.getInt();
    }

    private long u32() throws PickleException {
        return s32() & 0xffffffffL;
    }

    private long s64() throws PickleException {
        available(8);
        return input.getLong();
    }

    private void available(int bytes) throws PickleException {
        if (input.remaining() < bytes) {
            throw ended(bytes == 1 ? "another operation" : bytes + " bytes");
        }
    }

    private PickleException ended(String needed) {
        return corrupt("the pickle needs " + needed + ", " + input.remaining() + " bytes are left");
    }

    private PickleException corrupt(String message) {
        return new PickleException(opcodePosition, false, message);
    }
}
