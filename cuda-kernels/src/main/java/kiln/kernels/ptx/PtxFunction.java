package kiln.kernels.ptx;

import java.util.ArrayList;
import java.util.List;
import java.util.function.Supplier;

/**
 * One kernel's text, written instruction by instruction: a method emits one instruction and returns the register that holds its result.
 *
 * <p>Control flow is structured ({@link #when}, {@link #loop}), so every branch has one place where its threads meet again. Methods that
 * take a target write to a register that exists, which is how values change in loops. One thread.
 */
public final class PtxFunction {
    private static final String ALL_LANES = "0xffffffff";

    private final PtxModule module;
    private final String name;
    private final int threads;
    private final int registerBound;
    private final Registers registers = new Registers();
    private final List<String> parameters = new ArrayList<>();
    private final StringBuilder shared = new StringBuilder();
    private final StringBuilder body = new StringBuilder();
    private String guard = "";
    private int labels;

    PtxFunction(PtxModule module, String name, int threads, int registerBound) {
        this.module = module;
        this.name = name;
        this.threads = threads;
        this.registerBound = registerBound;
    }

    // Declarations.

    /** Declares the next parameter and loads it. */
    public Value parameter(String parameterName, PtxType type) {
        String full = name + "_" + parameterName;
        parameters.add("    .param ." + type.suffix() + " " + full);
        Value value = register(type);
        emit("ld.param." + type.suffix(), value.text(), "[" + full + "]");
        return value;
    }

    public Value register(PtxType type) {
        return registers.next(type);
    }

    /** Declares shared memory and returns its 32-bit address. */
    public Value shared(String arrayName, int bytes) {
        shared.append("    .shared .align 16 .b8 ").append(arrayName).append('[').append(bytes).append("];\n");
        Value address = register(PtxType.U32);
        emit("mov.u32", address.text(), arrayName);
        return address;
    }

    /** Declares shared memory whose size comes with the launch, aligned to 16 bytes, and returns its 32-bit address. It begins behind all other. */
    public Value dynamicShared(String arrayName) {
        module.declareDynamicShared(arrayName);
        Value address = register(PtxType.U32);
        emit("mov.u32", address.text(), arrayName);
        return address;
    }

    // Arithmetic. The type is that of the first source.

    /** Writes {@code op(sources)} to {@code target}. */
    public void assign(Value target, PtxOp op, Value... sources) {
        PtxType type = op == PtxOp.MOV || op == PtxOp.SELECT ? target.type() : typeOf(sources);
        String[] operands = new String[sources.length + 1];
        operands[0] = target.text();
        for (int i = 0; i < sources.length; i++) {
            operands[i + 1] = sources[i].text();
        }
        emit(op.text(type), operands);
    }

    /** {@code op(sources)} in a new register. */
    public Value compute(PtxOp op, Value... sources) {
        Value target = register(typeOf(sources));
        assign(target, op, sources);
        return target;
    }

    private static PtxType typeOf(Value... sources) {
        for (Value source : sources) {
            if (source.isRegister() && source.type() != PtxType.PRED) {
                return source.type();
            }
        }
        return sources[0].type();
    }

    public Value add(Value a, Value b) {
        return compute(PtxOp.ADD, a, b);
    }

    public Value sub(Value a, Value b) {
        return compute(PtxOp.SUB, a, b);
    }

    public Value mul(Value a, Value b) {
        return compute(PtxOp.MUL, a, b);
    }

    /** a·b + c. */
    public Value mad(Value a, Value b, Value c) {
        return compute(PtxOp.MAD, a, b, c);
    }

    public Value move(Value source) {
        Value target = register(source.type());
        assign(target, PtxOp.MOV, source);
        return target;
    }

    /** {@code predicate ? a : b} in a register of {@code type}. */
    public Value select(PtxType type, Value predicate, Value a, Value b) {
        Value target = register(type);
        assign(target, PtxOp.SELECT, a, b, predicate);
        return target;
    }

    public Value compare(Comparison comparison, Value a, Value b) {
        Value target = register(PtxType.PRED);
        emit("setp." + comparison.suffix() + "." + typeOf(a, b).suffix(), target.text(), a.text(), b.text());
        return target;
    }

    public Value and(Value a, Value b) {
        return compute(PtxOp.AND, a, b);
    }

    /** Rounds to nearest even where the result is a narrower float; towards zero from float to integer. */
    public Value convert(PtxType type, Value source) {
        Value target = register(type);
        String rounding = "";
        if (type.isFloat() && (!source.type().isFloat() || type.bytes() < source.type().bytes())) {
            rounding = ".rn";
        } else if (!type.isFloat() && source.type().isFloat()) {
            rounding = ".rzi";
        }
        emit("cvt" + rounding + "." + type.suffix() + "." + source.type().suffix(), target.text(), source.text());
        return target;
    }

    /** base + index · scale in 64 bits; the index is not negative. */
    public Value address(Value base, Value index, int scale) {
        Value target = register(PtxType.U64);
        emit("mad.wide.u32", target.text(), index.text(), Integer.toString(scale), base.text());
        return target;
    }

    /** The low and high 32 bits' full product: a 64-bit index from two 32-bit factors, neither negative. */
    public Value mulWide(Value a, Value b) {
        Value target = register(PtxType.U64);
        emit("mul.wide.u32", target.text(), a.text(), b.text());
        return target;
    }

    // Memory.

    public Value load(Space space, PtxType type, Value address, int offset) {
        Value target = register(type);
        load(space, address, offset, target);
        return target;
    }

    /** One load of as many neighbours as there are targets (1, 2 or 4), aligned to their total size. */
    public void load(Space space, Value address, int offset, Value... targets) {
        emit("ld." + space.suffix() + access(targets), vector(targets), place(address, offset));
    }

    public void store(Space space, Value address, int offset, Value... sources) {
        emit("st." + space.suffix() + access(sources), place(address, offset), vector(sources));
    }

    private static String access(Value... values) {
        PtxType type = values[0].type();
        String suffix = type == PtxType.F16 ? "b16" : type.suffix();
        return (values.length == 1 ? "." : ".v" + values.length + ".") + suffix;
    }

    private static String place(Value address, int offset) {
        return "[" + address.text() + (offset == 0 ? "" : (offset < 0 ? "" : "+") + offset) + "]";
    }

    private static String vector(Value... values) {
        if (values.length == 1) {
            return values[0].text();
        }
        StringBuilder out = new StringBuilder("{");
        for (int i = 0; i < values.length; i++) {
            out.append(i == 0 ? "" : ", ").append(values[i].text());
        }
        return out.append('}').toString();
    }

    // Threads.

    /** A special register such as {@code %tid.x}, copied to a virtual one. */
    public Value special(String specialRegister) {
        Value target = register(PtxType.U32);
        emit("mov.u32", target.text(), specialRegister);
        return target;
    }

    /** All threads of the block wait for each other; shared memory written before is visible behind. */
    public void barrier() {
        emit("bar.sync", "0");
    }

    /** The value of the lane whose number differs in the bits of {@code laneMask}; all 32 lanes take part. */
    public Value shuffleXor(Value source, int laneMask) {
        Value target = register(source.type());
        emit("shfl.sync.bfly.b32", target.text(), source.text(), Integer.toString(laneMask), "0x1f", ALL_LANES);
        return target;
    }

    // Control flow.

    /** Runs {@code body} in the threads whose predicate holds. */
    public void when(Value predicate, Runnable then) {
        String end = label("END");
        emit("@!" + predicate.text() + " bra", end);
        then.run();
        mark(end);
    }

    /** Tests before each pass. */
    public void loop(Supplier<Value> condition, Runnable pass) {
        String begin = label("LOOP");
        String end = label("DONE");
        mark(begin);
        emit("@!" + condition.get().text() + " bra", end);
        pass.run();
        emit("bra", begin);
        mark(end);
    }

    /** Puts a predicate before each instruction that {@code instructions} emits: for a few, where a branch would cost more. */
    public void guarded(Value predicate, Runnable instructions) {
        String before = guard;
        if (!before.isEmpty()) {
            throw new IllegalStateException("guards do not nest");
        }
        guard = "@" + predicate.text() + " ";
        instructions.run();
        guard = before;
    }

    // Text.

    public void comment(String text) {
        body.append("    // ").append(text).append('\n');
    }

    /** Any instruction that has no method here. */
    public void emit(String instruction, String... operands) {
        body.append("    ").append(guard).append(instruction);
        body.append(operands.length == 0 ? "" : " ").append(String.join(", ", operands)).append(";\n");
    }

    /** As {@link #emit}, where the instruction came with a later version of PTX (70 for 7.0). */
    public void emitSince(int version, String instruction, String... operands) {
        module.needVersion(version);
        emit(instruction, operands);
    }

    private String label(String kind) {
        return kind + "_" + ++labels;
    }

    private void mark(String label) {
        body.append(label).append(":\n");
    }

    /** The text of the module that this is the entry of. */
    public String moduleText() {
        return module.text();
    }

    String text() {
        return ".visible .entry " + name + "(\n" + String.join(",\n", parameters) + "\n)\n.reqntid " + threads + ", 1, 1\n.maxnreg " + registerBound + "\n{\n"
                + registers.declarations() + shared + "\n" + body + "    ret;\n}\n";
    }
}
