package kiln.kernels;

import kiln.kernels.ptx.PtxFunction;
import kiln.kernels.ptx.PtxModule;
import kiln.kernels.ptx.PtxOp;
import kiln.kernels.ptx.PtxType;
import kiln.kernels.ptx.Space;
import kiln.kernels.ptx.Target;
import kiln.kernels.ptx.Value;

/**
 * Writes a block's words back in reverse order, by way of shared memory that comes with the launch: parameters are the words' address. For tests of drivers.
 *
 * @param sharedBytes more than the words take, where the size itself is to be tried
 */
public record ReverseKernel(int threads, int sharedBytes) implements Kernel {
    @Override
    public String name() {
        return "reverse";
    }

    @Override
    public String variant() {
        return threads + " words";
    }

    @Override
    public Target target() {
        return dynamicSharedBytes() > SharedMemoryLimits.STATIC_BYTES ? Target.from(75) : Target.FLOOR;
    }

    @Override
    public int registerBudget() {
        return 32;
    }

    @Override
    public int dynamicSharedBytes() {
        return sharedBytes;
    }

    @Override
    public String ptx() {
        PtxModule module = new PtxModule(target());
        PtxFunction f = module.entry(name(), threads, registerBudget());
        Value words = f.parameter("words", PtxType.U64);
        Value shared = f.dynamicShared("words");
        Value thread = f.special("%tid.x");
        Value address = f.address(words, thread, 4);
        f.store(Space.SHARED, f.mad(thread, Value.of(4), shared), 0, f.load(Space.GLOBAL, PtxType.U32, address, 0));
        f.barrier();
        Value other = f.compute(PtxOp.SUB, f.move(Value.of(threads - 1).as(PtxType.U32)), thread);
        f.store(Space.GLOBAL, address, 0, f.load(Space.SHARED, PtxType.U32, f.mad(other, Value.of(4), shared), 0));
        return module.text();
    }
}
