package kiln.runtime.exec.cuda;

import java.util.ArrayList;
import java.util.List;
import java.util.function.LongUnaryOperator;
import kiln.kernels.CudaContext.LoadedKernel;
import kiln.kernels.KernelCall;

/**
 * A program whose kernels are loaded and whose addresses are real: nothing is left to do but to launch.
 *
 * @param generation of the {@link Residence} that the addresses belong to
 * @param units of streamed weights, in the order in which they are needed
 */
record BoundProgram(long generation, long arena, List<Step> steps, List<StreamedUnit> units) {
    record Call(LoadedKernel kernel, KernelCall call) {}

    record Step(double flops, List<Call> calls) {}

    static BoundProgram of(DeviceProgram program, Residence.Placed placed, KernelModules modules) {
        LongUnaryOperator places = program.places(placed.arena(), placed.weights());
        List<Step> steps = new ArrayList<>();
        for (DeviceProgram.Step step : program.steps()) {
            List<Call> calls = new ArrayList<>();
            for (KernelCall call : step.calls()) {
                calls.add(new Call(modules.get(call.kernel()), DeviceProgram.bound(call, places)));
            }
            steps.add(new Step(step.flops(), List.copyOf(calls)));
        }
        return new BoundProgram(placed.generation(), placed.arena(), List.copyOf(steps), placed.units());
    }
}
