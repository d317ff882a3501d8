package kiln.runtime.check;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;
import kiln.runtime.check.OpCases.OpCase;
import kiln.runtime.graph.Fusion;
import kiln.runtime.graph.Op;
import kiln.runtime.graph.PostOp;
import org.junit.jupiter.api.Test;

class OpCasesTest {
    private final List<OpCase> cases = OpCases.all();

    @Test
    void everyOpHasACaseThatComputesIt() {
        Set<Class<?>> covered = cases.stream().map(OpCase::op).collect(Collectors.toSet());
        // Given from outside, not computed; every case reads one.
        covered.add(Op.Input.class);
        assertThat(covered).containsExactlyInAnyOrder(Op.class.getPermittedSubclasses());
        assertThat(cases).allSatisfy(each ->
                assertThat(each.graph().nodes().stream().filter(node -> node.op().getClass() == each.op())).as(each.name()).isNotEmpty());
    }

    @Test
    void everyPostOpIsHungOntoANodeSomewhere() {
        Set<PostOp.Kind> hung = cases.stream()
                .flatMap(each -> Fusion.fuse(each.graph()).nodes().stream())
                .flatMap(node -> node.postOps().stream())
                .map(PostOp::kind)
                .collect(Collectors.toSet());
        assertThat(hung).containsExactlyInAnyOrder(PostOp.Kind.values());
    }

    @Test
    void aConvolutionThatDoublesIsAmongThem() {
        assertThat(cases.stream().flatMap(each -> Fusion.fuse(each.graph()).nodes().stream()))
                .anyMatch(node -> node.op() instanceof Op.Conv2d convolution && convolution.upsample());
    }

    @Test
    void caseNamesAreUniqueWithinAnOp() {
        assertThat(cases.stream().map(each -> each.op().getSimpleName() + ": " + each.name())).doesNotHaveDuplicates();
    }

    @Test
    void numbersAreTheSameInEveryRun() {
        List<OpCase> again = OpCases.all();
        for (int i = 0; i < cases.size(); i++) {
            assertThat(again.get(i).inputs().keySet()).isEqualTo(cases.get(i).inputs().keySet());
            for (String input : cases.get(i).inputs().keySet()) {
                assertThat(again.get(i).inputs().get(input)).containsExactly(cases.get(i).inputs().get(input));
            }
        }
    }
}
