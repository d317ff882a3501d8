package kiln.runtime.exec.cuda.run;

import java.util.List;
import java.util.function.LongUnaryOperator;
import kiln.runtime.exec.cuda.program.DeviceCommand;
import kiln.runtime.exec.cuda.program.DeviceProgram;
import kiln.runtime.exec.cuda.residence.Residence;
import kiln.runtime.exec.cuda.residence.StreamedUnit;

/**
 * A program whose addresses are real: nothing is left to do but to queue its commands.
 *
 * @param generation of the {@link Residence} that the addresses belong to
 * @param units of streamed weights, in the order in which they are needed
 */
public record BoundProgram(DeviceProgram program, long generation, long arena, List<Step> steps, List<StreamedUnit> units) {
    record Step(double flops, List<DeviceCommand> commands) {}

    public static BoundProgram of(Residence.Placed placed) {
        DeviceProgram program = placed.program();
        LongUnaryOperator places = DeviceProgram.places(placed.arena(), placed.weights());
        List<Step> steps = program.steps().stream()
                .map(step -> new Step(step.flops(), step.commands().stream().map(command -> command.bound(places)).toList()))
                .toList();
        return new BoundProgram(program, placed.generation(), placed.arena(), steps, placed.units());
    }
}
