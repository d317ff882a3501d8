package kiln.runtime.exec.cuda;

import java.util.Map;
import kiln.kernels.CudaContext.PinnedMemory;
import kiln.kernels.CudaException;
import kiln.kernels.DataType;
import kiln.runtime.base.ByteSize;
import kiln.runtime.exec.CompiledGraph;
import kiln.runtime.exec.cuda.program.DeviceTarget;
import kiln.runtime.exec.cuda.program.ProgramChoice;
import kiln.runtime.exec.cuda.residence.Residence;
import kiln.runtime.exec.cuda.run.BoundProgram;
import kiln.runtime.exec.cuda.run.CapturedProgram;
import kiln.runtime.exec.cuda.run.GraphTransfers;
import kiln.runtime.graph.Graph;

/** A graph's program and where it lies now. It is written anew when 16 bits do not do or a library fails. */
final class CompiledProgram implements CompiledGraph {
    private final CudaExecutor executor;
    private final String network;
    private final Graph unfused;
    private ProgramChoice program;
    private BoundProgram bound;
    private GraphTransfers transfers;
    private CapturedProgram captured;
    private boolean toldOfBands;
    /** Whether all memory that Kiln asks for is there, so that only the driver itself can have too little. */
    private boolean launching;
    private boolean closed;

    CompiledProgram(CudaExecutor executor, String network, Graph unfused, ProgramChoice program) {
        this.executor = executor;
        this.network = network;
        this.unfused = unfused;
        this.program = program;
    }

    @Override
    public Map<String, float[]> run(Map<String, float[]> inputs, Progress progress) {
        executor.requireOpen();
        if (closed) {
            throw new IllegalStateException("the compiled graph is closed");
        }
        boolean libraryFailed = false;
        while (true) {
            try {
                if (libraryFailed) {
                    lower(program.type());
                }
                return attempt(inputs, progress);
            } catch (CudaException e) {
                if (executor.device.libraries().giveUp(e, executor.notices)) {
                    libraryFailed = true;
                } else if (launching && e.isOutOfMemory()) {
                    libraryFailed = false;
                    executor.residence.makeRoom(e);
                } else {
                    throw CudaExecutor.failure(e);
                }
            }
        }
    }

    private Map<String, float[]> attempt(Map<String, float[]> inputs, Progress progress) {
        Map<String, float[]> outputs = launch(inputs, progress);
        if (program.type() == DataType.F16 && outputs.values().stream().anyMatch(CompiledProgram::hasNaN)) {
            executor.notices.accept("the " + network + " gave not-a-number in 16 bits: from here on it runs in 32 bits");
            lower(DataType.F32);
            outputs = launch(inputs, done -> progress.at(unfused.flops()));
        }
        return outputs;
    }

    /** Writes the program anew, for another number format or without a library. */
    private void lower(DataType type) {
        executor.residence.remove(network, program);
        DeviceTarget target = executor.settings.target(executor.device.card(), network);
        program = executor.program(network, unfused, type == DataType.F32 ? target.upcast() : target);
        bound = null;
        dropCapture();
        executor.load(program.whole(), fraction -> {});
        executor.residence.add(network, program);
    }

    private Map<String, float[]> launch(Map<String, float[]> inputs, Progress progress) {
        launching = false;
        long generation = executor.residence.prepare(network);
        if (bound == null || bound.generation() != generation) {
            bind(executor.residence.place(network, program));
        } else if (captured == null) {
            // From the second run on: many programs run only once.
            captured = executor.capture(bound);
        }
        PinnedMemory pinned = executor.device.transfer(transfers.bytes());
        transfers.write(inputs, pinned);
        launching = true;
        try {
            transfers.toDevice(executor.device.context(), pinned, bound.arena(), executor.device.compute());
            if (captured == null) {
                executor.runner.run(bound, progress);
            } else {
                executor.runner.run(captured, progress);
            }
            transfers.toHost(executor.device.context(), pinned, bound.arena(), executor.device.compute());
        } finally {
            executor.runner.settle();
        }
        return transfers.read(pinned);
    }

    private void dropCapture() {
        if (captured != null) {
            captured.close();
            captured = null;
        }
    }

    private void bind(Residence.Placed placed) {
        dropCapture();
        long hostBytes = placed.program().hostBytes();
        if (hostBytes == 0) {
            executor.host.release(this);
        } else {
            executor.host.reserve(this, network, hostBytes);
            if (!toldOfBands) {
                toldOfBands = true;
                executor.notices.accept("the " + network + " works in bands of rows, which takes longer: its results need "
                        + ByteSize.format(program.whole().arenaBytes()) + " of the card's memory, and "
                        + ByteSize.format(placed.program().arenaBytes()) + " are used");
            }
        }
        bound = BoundProgram.of(placed);
        transfers = new GraphTransfers(bound.program());
    }

    @Override
    public void close() {
        if (!closed) {
            closed = true;
            if (executor.forget(unfused)) {
                dropCapture();
                executor.residence.remove(network, program);
                executor.host.release(this);
            }
        }
    }

    private static boolean hasNaN(float[] values) {
        for (float value : values) {
            if (Float.isNaN(value)) {
                return true;
            }
        }
        return false;
    }
}
