package kiln.kernels.emulator;

import kiln.kernels.emulator.Instruction.Flow;

/** Turns a statement into an instruction: control flow here, the rest by family. */
final class InstructionDecoder {
    private static final Operation NOTHING = (warp, mask) -> { };

    private InstructionDecoder() { }

    static Instruction decode(Statement statement, Scope scope, KernelBuilder builder) {
        Operands operands = new Operands(statement, scope, builder);
        boolean guarded = statement.guard() != null;
        int guard = guarded ? operands.predicate(statement.guard()) : 0;
        Flow flow = Flow.NEXT;
        Operation operation = null;
        int target = 0;
        Instruction.Barrier barrier = null;
        switch (statement.family()) {
            case "bra" -> {
                statement.allow("uni");
                statement.expectOperands(1, 1);
                Integer label = scope.label(operands.at(0).name());
                if (label == null) {
                    throw statement.error("no label " + operands.at(0));
                }
                flow = Flow.BRANCH;
                target = label;
            }
            case "ret", "exit" -> {
                statement.allow("uni");
                statement.expectOperands(0, 0);
                flow = Flow.EXIT;
            }
            case "bar", "barrier" -> {
                if (statement.has("warp")) {
                    statement.allow("warp", "sync");
                    statement.expectOperands(1, 1);
                    operation = WarpInstructions.synchronise(operands);
                } else {
                    flow = Flow.BARRIER;
                    barrier = barrier(operands);
                }
            }
            default -> operation = operation(operands);
        }
        return new Instruction(statement.line(), statement.toString(), guarded, guard, flow, operation, target, barrier, operands.use.complete());
    }

    private static Instruction.Barrier barrier(Operands operands) {
        Statement statement = operands.statement;
        statement.allow("cta", "sync", "arrive", "aligned");
        boolean waits = statement.has("sync");
        if (!waits && !statement.has("arrive")) {
            throw statement.unknown();
        }
        statement.expectOperands(waits ? 1 : 2, 2);
        int id = operands.source(0, PtxType.U32);
        int threads = operands.count() == 2 ? operands.source(1, PtxType.U32) : -1;
        return new Instruction.Barrier(id, threads, statement.family().equals("bar") || statement.has("aligned"), waits);
    }

    private static Operation operation(Operands operands) {
        Statement statement = operands.statement;
        return switch (statement.family()) {
            case "ld" -> MemoryInstructions.load(operands);
            case "st" -> MemoryInstructions.store(operands);
            case "mov" -> MoveInstructions.decode(operands);
            case "cvta" -> MoveInstructions.convertAddress(operands);
            case "cvt" -> ConversionInstructions.decode(operands);
            case "setp", "set", "selp", "slct", "testp" -> PredicateInstructions.decode(operands);
            case "atom", "red" -> AtomicInstructions.decode(operands);
            case "cp" -> CopyInstructions.decode(operands);
            case "shfl" -> WarpInstructions.shuffle(operands);
            case "vote" -> WarpInstructions.vote(operands);
            case "activemask" -> WarpInstructions.activeMask(operands);
            case "redux" -> WarpInstructions.reduce(operands);
            case "mma" -> MatrixInstructions.multiply(operands);
            case "ldmatrix" -> MatrixInstructions.load(operands);
            case "membar", "fence", "prefetch", "nanosleep", "griddepcontrol" -> NOTHING;
            case "trap" -> (warp, mask) -> {
                throw warp.fault(Integer.numberOfTrailingZeros(mask), "trap");
            };
            case "add", "sub", "mul", "mad", "fma", "div", "rem", "min", "max", "abs", "neg", "and", "or", "xor", "not", "cnot", "shl", "shr",
                    "popc", "clz", "bfind", "brev", "bfe", "bfi", "prmt", "shf", "lop3", "dp4a", "sad", "copysign",
                    "sqrt", "rsqrt", "rcp", "ex2", "lg2", "sin", "cos", "tanh" -> arithmetic(operands);
            default -> throw statement.unknown();
        };
    }

    private static Operation arithmetic(Operands operands) {
        PtxType type = operands.statement.type();
        return switch (type) {
            case PRED -> switch (operands.statement.family()) {
                case "and", "or", "xor", "not" -> PredicateInstructions.logic(operands);
                default -> throw operands.statement.unknown();
            };
            case F32, F64 -> FloatInstructions.decode(operands);
            case F16, F16X2, BF16, BF16X2 -> HalfInstructions.decode(operands);
            default -> IntegerInstructions.decode(operands);
        };
    }
}
