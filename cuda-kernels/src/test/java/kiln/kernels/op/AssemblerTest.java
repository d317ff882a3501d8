package kiln.kernels.op;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import kiln.kernels.Kernel;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** Every variant assembles for every card that can run it, without spills and within its registers. */
class AssemblerTest {
    private static final List<Integer> CAPABILITIES = List.of(50, 61, 70, 75, 80, 86, 89, 90);
    private static final Pattern TARGET = Pattern.compile("\\.target sm_(\\d+)");
    /** What every card gives a block without being asked. */
    private static final int SHARED_BYTES = 48 << 10;

    private static final int REGISTERS_OF_A_CARD = 64 << 10;

    @BeforeAll
    static void load() throws IOException {
        PtxAssembler.load();
    }

    static Stream<Arguments> variants() {
        return KernelLibrary.all().stream().map(kernel -> Arguments.of(kernel.name(), kernel.variant(), kernel));
    }

    @ParameterizedTest(name = "{0} {1}")
    @MethodSource("variants")
    void assemblesWithoutSpillsWithinItsBudget(String name, String variant, Kernel kernel) {
        String ptx = kernel.ptx();
        Matcher target = TARGET.matcher(ptx);
        assertThat(target.find()).isTrue();
        assertThat(kernel.registerBudget() * kernel.threads()).isLessThanOrEqualTo(REGISTERS_OF_A_CARD);
        StringBuilder report = new StringBuilder();
        for (int capability : CAPABILITIES) {
            if (capability < Integer.parseInt(target.group(1))) {
                continue;
            }
            PtxAssembler.Usage usage = PtxAssembler.assemble(ptx, capability);
            report.append(' ').append(capability).append(':').append(usage.registers());
            assertThat(usage.spillBytes()).as("%s %s on sm_%d: spilled bytes", name, variant, capability).isZero();
            assertThat(usage.registers())
                    .as("%s %s on sm_%d: registers", name, variant, capability)
                    .isLessThanOrEqualTo(kernel.registerBudget());
            assertThat(usage.sharedBytes()).as("%s %s on sm_%d: shared", name, variant, capability).isLessThanOrEqualTo(SHARED_BYTES);
        }
        if (Boolean.getBoolean("kiln.kernels.report")) {
            System.out.println(name + " " + variant + ":" + report);
        }
    }

    @Test
    void variantsHaveNamesOfTheirOwn() {
        assertThat(KernelLibrary.all()).doesNotHaveDuplicates();
        assertThat(KernelLibrary.all().stream().map(kernel -> kernel.name() + " " + kernel.variant())).doesNotHaveDuplicates();
    }
}
