package kiln.runtime.exec;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import kiln.runtime.exec.cuda.program.Lowering;
import kiln.runtime.exec.onednn.OneDnnExecutor;
import kiln.runtime.exec.reference.ReferenceExecutor;
import kiln.runtime.graph.Op;
import kiln.runtime.graph.PostOp;
import org.junit.jupiter.api.Test;

class OpTableTest {
    @Test
    void everyExecutorHasEveryOp() {
        assertThat(ReferenceExecutor.ops()).as("plain Java").containsExactlyInAnyOrderElementsOf(allOps());
        assertThat(OneDnnExecutor.ops()).as("oneDNN").containsExactlyInAnyOrderElementsOf(allOps());
        assertThat(Lowering.ops()).as("CUDA").containsExactlyInAnyOrderElementsOf(allOps());
    }

    private static Set<Class<? extends Op>> allOps() {
        return Set.copyOf(List.of(Op.class.getPermittedSubclasses()).stream()
                .<Class<? extends Op>>map(type -> type.asSubclass(Op.class))
                .toList());
    }

    @Test
    void codeIsFoundByTheOpsClass() {
        List<String> ran = new ArrayList<>();
        OpTable<List<String>> table = OpTable.<List<String>>of("small")
                .row(Op.Add.class, (log, node, op) -> log.add("add at " + node))
                .row(Op.Activation.class, (log, node, op) -> log.add(op.kind() + " at " + node))
                .build();
        table.run(ran, 3, new Op.Activation(PostOp.Kind.GELU));
        table.run(ran, 4, new Op.Add());
        assertThat(ran).containsExactly("GELU at 3", "add at 4");
        assertThat(table.ops()).containsExactlyInAnyOrder(Op.Add.class, Op.Activation.class);
        assertThatThrownBy(() -> table.run(ran, 5, new Op.Concat())).hasMessage("the small executor has no code for Concat[]");
    }
}
