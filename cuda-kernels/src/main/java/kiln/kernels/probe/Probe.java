package kiln.kernels.probe;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import java.util.StringJoiner;
import java.util.stream.Collectors;
import java.util.zip.CRC32;
import kiln.kernels.Kernel;
import kiln.kernels.KernelCall;
import kiln.kernels.ptx.Comparison;
import kiln.kernels.ptx.PtxFunction;
import kiln.kernels.ptx.PtxModule;
import kiln.kernels.ptx.PtxType;
import kiln.kernels.ptx.Space;
import kiln.kernels.ptx.Target;
import kiln.kernels.ptx.Value;

/**
 * A kernel of one instruction: each thread loads its operands, runs it once, and stores the result. Operands and results are rows of 32-bit words, a
 * row for each thread; blocks are single warps.
 *
 * <p>Immutable; any thread.
 */
public final class Probe implements Kernel {
    static final int THREADS = 32;
    private static final int MATRIX_ROW_BYTES = 16;
    /** Since when there are matrix instructions: version 6.5. */
    private static final int MATRIX_VERSION = 65;

    private static final int MATRIX_TARGET = 75;

    /** A register by itself, or some in braces. */
    record Group(Format format, int count, boolean braced) {
        static Group of(Format format) {
            return new Group(format, 1, false);
        }

        /** Matrix instructions want braces even around one. */
        static Group vector(Format format, int count) {
            return new Group(format, count, true);
        }

        int words() {
            return count * format.words();
        }

        private String text(List<Value> values) {
            String text = values.stream().map(Value::text).collect(Collectors.joining(", "));
            return braced ? "{" + text + "}" : text;
        }
    }

    /** What a warp's results are, by lane and word, from its operands. */
    interface Reference {
        Expected[][] of(int[][] lanes);
    }

    private final String instruction;
    private final int target;
    private final Group result;
    private final List<Group> groups;
    private final String constants;
    private final boolean shared;
    private final Operands operands;
    private final Reference reference;

    /**
     * @param instruction as it stands in PTX, without operands: "add.f32"
     * @param target the lowest compute capability that has it, times ten
     * @param constants what stands behind the operands: ", 0x1f, 0xffffffff"
     * @param shared whether the operands, four words, are put into shared memory, and the instruction is given their address there
     */
    Probe(String instruction, int target, Group result, List<Group> groups, String constants, boolean shared, Operands operands, Reference reference) {
        this.instruction = Objects.requireNonNull(instruction, "instruction");
        this.target = target;
        this.result = result;
        this.groups = List.copyOf(groups);
        this.constants = constants;
        this.shared = shared;
        this.operands = operands;
        this.reference = reference;
    }

    /** As it stands in PTX, without operands: "add.f32". */
    public String instruction() {
        return instruction;
    }

    /** How many threads run it, each with operands of its own. */
    public int rows() {
        return operands.rows();
    }

    @Override
    public String name() {
        return "probe_" + instruction.replace('.', '_');
    }

    @Override
    public String variant() {
        return instruction;
    }

    @Override
    public Target target() {
        return Target.from(target);
    }

    @Override
    public int threads() {
        return THREADS;
    }

    @Override
    public int registerBudget() {
        return 32;
    }

    @Override
    public String ptx() {
        PtxModule module = new PtxModule(target());
        PtxFunction f = module.entry(name(), THREADS, registerBudget());
        Value in = f.parameter("in", PtxType.U64);
        Value out = f.parameter("out", PtxType.U64);
        Value row = f.mad(f.special("%ctaid.x"), Value.of(THREADS), f.special("%tid.x"));
        Value from = f.address(in, row, Integer.BYTES * operandWords());
        Value to = f.address(out, row, Integer.BYTES * resultWords());
        List<Value> results = new ArrayList<>();
        for (int i = 0; i < result.count(); i++) {
            results.add(f.register(result.format().type()));
        }
        List<String> texts = new ArrayList<>(List.of(result.text(results)));
        List<Value> loaded = new ArrayList<>();
        for (Group group : groups) {
            List<Value> values = load(f, group, from, words(loaded));
            loaded.addAll(values);
            texts.add(group.text(values));
        }
        if (shared) {
            texts = List.of(result.text(results), "[" + share(f, loaded).text() + "]");
        }
        String[] written = texts.toArray(new String[0]);
        written[written.length - 1] += constants;
        if (target >= MATRIX_TARGET) {
            f.emitSince(MATRIX_VERSION, instruction, written);
        } else {
            f.emit(instruction, written);
        }
        for (int i = 0; i < results.size(); i++) {
            Value value = result.format() == Format.PREDICATE
                    ? f.select(PtxType.U32, results.get(i), Value.of(1), Value.of(0))
                    : result.format() == Format.F16 ? widened(f, results.get(i)) : results.get(i);
            f.store(Space.GLOBAL, to, Integer.BYTES * i * result.format().words(), value);
        }
        return module.text();
    }

    private static List<Value> load(PtxFunction f, Group group, Value from, int before) {
        List<Value> values = new ArrayList<>();
        for (int i = 0; i < group.count(); i++) {
            int offset = Integer.BYTES * (before + i * group.format().words());
            values.add(switch (group.format()) {
                case PREDICATE -> f.compare(Comparison.NOT_EQUAL, f.load(Space.GLOBAL, PtxType.U32, from, offset), Value.of(0));
                case U64 -> joined(f, from, offset);
                default -> f.load(Space.GLOBAL, group.format().type(), from, offset);
            });
        }
        return values;
    }

    /** Two words, which need not lie where 64 bits may be loaded at once. */
    private static Value joined(PtxFunction f, Value from, int offset) {
        Value low = f.load(Space.GLOBAL, PtxType.B32, from, offset);
        Value high = f.load(Space.GLOBAL, PtxType.B32, from, offset + Integer.BYTES);
        Value both = f.register(PtxType.U64);
        f.emit("mov.b64", both.text(), "{" + low.text() + ", " + high.text() + "}");
        return both;
    }

    /** Both halves of a word are written, the upper one as 0. */
    private static Value widened(PtxFunction f, Value half) {
        Value word = f.register(PtxType.B32);
        f.emit("cvt.u32.u16", word.text(), half.text());
        return word;
    }

    /** The address of this lane's words in shared memory. */
    private static Value share(PtxFunction f, List<Value> words) {
        Value address = f.mad(f.special("%tid.x"), Value.of(MATRIX_ROW_BYTES), f.shared("matrices", THREADS * MATRIX_ROW_BYTES));
        f.store(Space.SHARED, address, 0, words.toArray(new Value[0]));
        f.barrier();
        return address;
    }

    private static int words(List<Value> values) {
        return values.stream().mapToInt(value -> Math.max(1, value.type().bytes() / Integer.BYTES)).sum();
    }

    private int operandWords() {
        return groups.stream().mapToInt(Group::words).sum();
    }

    private int resultWords() {
        return result.words();
    }

    // Running.

    KernelCall call(long in, long out) {
        return new KernelCall(this, operands.rows() / THREADS, in, out);
    }

    /** All rows' operands, the same each time. */
    byte[] operandBytes() {
        ByteBuffer bytes = ByteBuffer.allocate(Integer.BYTES * operands.rows() * operandWords()).order(ByteOrder.LITTLE_ENDIAN);
        for (int[] row : operandRows()) {
            if (row.length != operandWords()) {
                throw new IllegalStateException(instruction + " takes " + operandWords() + " words of operands, found " + row.length);
            }
            for (int word : row) {
                bytes.putInt(word);
            }
        }
        return bytes.array();
    }

    /** Tells operands from others that the probe had once. */
    int operandChecksum() {
        CRC32 checksum = new CRC32();
        checksum.update(operandBytes());
        return (int) checksum.getValue();
    }

    int resultCount() {
        return operands.rows() * resultWords();
    }

    private int[][] operandRows() {
        return operands.make(instruction.hashCode());
    }

    // Judging.

    /** @param results of all rows, as {@link ProbeReplay} or {@link Vectors} give them */
    public Judgement judge(int[] results) {
        if (results.length != resultCount()) {
            throw new IllegalArgumentException(instruction + " has " + resultCount() + " words of results, found " + results.length);
        }
        int[][] rows = operandRows();
        Judgement.Builder judgement = new Judgement.Builder(this, results.length / result.format().words());
        for (int first = 0; first < rows.length; first += THREADS) {
            int[][] lanes = Arrays.copyOfRange(rows, first, first + THREADS);
            Expected[][] expected = reference.of(lanes);
            for (int lane = 0; lane < THREADS; lane++) {
                for (int word = 0; word < resultWords(); word += result.format().words()) {
                    judge(judgement, results, first + lane, word, lanes[lane], expected[lane]);
                }
            }
        }
        return judgement.build();
    }

    private void judge(Judgement.Builder judgement, int[] results, int row, int word, int[] own, Expected[] expected) {
        int at = row * resultWords() + word;
        boolean right = true;
        for (int i = 0; i < result.format().words(); i++) {
            right &= expected[word + i].accepts(results[at + i]);
        }
        Expected first = expected[word];
        double error = right ? first.error(results[at]) : Double.NaN;
        judgement.add(right, error, first.allowed(), () -> {
            String of = first.of() == null ? show(own) : first.of().get();
            String place = resultWords() > result.format().words() ? ", value " + word / result.format().words() : "";
            return instruction + " of " + of + " (row " + row + place + ") gave " + result.format().show(results, at) + ", expected "
                    + Expected.show(expected, word, result.format());
        });
    }

    private String show(int[] own) {
        StringJoiner text = new StringJoiner(", ");
        int at = 0;
        for (Group group : groups) {
            for (int i = 0; i < group.count(); i++) {
                text.add(group.format().show(own, at));
                at += group.format().words();
            }
        }
        return text.toString();
    }

    @Override
    public String toString() {
        return instruction;
    }
}
