package kiln.runtime.exec.cuda.measure;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.IntStream;
import kiln.kernels.Kernel;
import kiln.kernels.KernelCall;
import kiln.kernels.op.attention.AttentionKernel;
import kiln.kernels.op.attention.AttentionScores;
import kiln.kernels.op.attention.AttentionValues;
import kiln.kernels.op.element.CopyRows;
import kiln.kernels.op.product.Convolution;
import kiln.kernels.op.product.MatrixMultiply;
import kiln.runtime.exec.cuda.program.Address;
import kiln.runtime.exec.cuda.program.DeviceCommand;
import kiln.runtime.exec.cuda.program.DeviceProgram;
import kiln.runtime.graph.Node;
import kiln.runtime.graph.Op;

/** The launches of a program, each kind of them once. */
final class ProgramWorkloads {
    /** What makes two launches take the same time: everything but where their operands lie. */
    private record Kind(Kernel kernel, List<Integer> grid, List<Object> arguments) {}

    private final String group;
    private final DeviceProgram program;
    private final Map<Kind, Workload> found = new LinkedHashMap<>();

    private ProgramWorkloads(String group, DeviceProgram program) {
        this.group = group;
        this.program = program;
    }

    /** In the order of their first launch. */
    static List<Workload> of(String group, DeviceProgram program) {
        ProgramWorkloads workloads = new ProgramWorkloads(group, program);
        for (DeviceProgram.Step step : program.steps()) {
            for (DeviceCommand command : step.commands()) {
                if (command instanceof DeviceCommand.Launch launch) {
                    workloads.add(step, launch.call());
                }
            }
        }
        return List.copyOf(workloads.found.values());
    }

    private void add(DeviceProgram.Step step, KernelCall call) {
        List<Object> sizes = call.arguments().stream().map(ProgramWorkloads::withoutPlace).toList();
        Kind kind = new Kind(call.kernel(), List.of(call.gridX(), call.gridY(), call.gridZ()), sizes);
        found.merge(kind, workload(step, call), (before, now) -> before.withCount(before.count() + 1));
    }

    private static Object withoutPlace(Object argument) {
        if (argument instanceof Long address) {
            return Address.isSymbol(address) ? Address.region(address).name() : "none";
        }
        return argument;
    }

    private Workload workload(DeviceProgram.Step step, KernelCall call) {
        List<Integer> weights = new ArrayList<>();
        List<Object> arguments = new ArrayList<>();
        Set<Integer> operands = new TreeSet<>();
        for (Object argument : call.arguments()) {
            if (argument instanceof Long address && Address.isSymbol(address)) {
                if (Address.region(address) == Address.Region.WEIGHT) {
                    int index = Address.index(address);
                    if (!weights.contains(index)) {
                        weights.add(index);
                    }
                    arguments.add(Address.weight(weights.indexOf(index), Address.offset(address)));
                    continue;
                }
                operands(step.node(), Address.offset(address)).forEach(operands::add);
            }
            arguments.add(argument);
        }
        List<Long> parameterBytes = weights.stream().map(index -> program.weights().get(index).bytes()).toList();
        double bytes = operands.stream().mapToDouble(this::bytes).sum() + parameterBytes.stream().mapToLong(Long::longValue).sum();
        Node node = program.graph().node(step.node());
        if (call.kernel() instanceof CopyRows) {
            // A part of the result, as large as what is copied.
            bytes = 2 * (bytes - bytes(step.node()));
        }
        return new Workload(
                group,
                text(node),
                new KernelCall(call.kernel(), call.gridX(), call.gridY(), call.gridZ(), arguments),
                1,
                isProduct(call.kernel()) ? program.graph().flops(node) / products(step) : 0,
                bytes,
                program.arenaBytes(),
                parameterBytes);
    }

    private static boolean isProduct(Kernel kernel) {
        return kernel instanceof MatrixMultiply
                || kernel instanceof Convolution
                || kernel instanceof AttentionKernel
                || kernel instanceof AttentionScores
                || kernel instanceof AttentionValues;
    }

    /** Launches that share a step's work: attention in slices has many, of about the same size. */
    private static long products(DeviceProgram.Step step) {
        return step.commands().stream()
                .filter(command -> command instanceof DeviceCommand.Launch launch && isProduct(launch.call().kernel()))
                .count();
    }

    /** Which of a node's operands and result lie there. */
    private IntStream operands(int node, long offset) {
        // Behind a norm that is applied on load is the map itself.
        IntStream read = program.graph().node(node).reads().flatMap(operand -> IntStream.concat(IntStream.of(operand), normed(operand)));
        return IntStream.concat(read, IntStream.of(node)).filter(operand -> {
            long begin = program.plan().offset(operand);
            return offset >= begin && offset < begin + bytes(operand);
        });
    }

    private IntStream normed(int operand) {
        Node node = program.graph().node(operand);
        return node.op() instanceof Op.GroupNorm ? node.reads() : IntStream.empty();
    }

    private long bytes(int node) {
        return program.plan().bytes(node);
    }

    /** "Conv2d [2, 64, 64, 320] to [2, 32, 32, 320]". */
    private String text(Node node) {
        String inputs = node.inputs().isEmpty() ? "" : program.graph().shapeOf(node.inputs().get(0)) + " to ";
        return node.op().getClass().getSimpleName() + " " + inputs + node.shape();
    }
}
