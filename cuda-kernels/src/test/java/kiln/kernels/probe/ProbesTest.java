package kiln.kernels.probe;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import kiln.kernels.CudaContext;
import kiln.kernels.Kernel;
import kiln.kernels.cases.KernelLibrary;
import kiln.kernels.emulator.EmulatedCard;
import kiln.kernels.emulator.EmulatedDriver;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Every probe on the emulator, and whether there are enough of them. */
class ProbesTest {
    private static final Pattern INSTRUCTION = Pattern.compile("(?m)^ +(?:@!?%p\\d+ )?([a-z][a-z0-9_.:]*)[ ;]");

    /** What moves data or decides where to go on. */
    private static final Set<String> NO_ARITHMETIC = Set.of("ld", "st", "mov", "cp", "bra", "ret", "bar");

    private static final EmulatedDriver DRIVER = new EmulatedDriver(EmulatedCard.ofBytes(16 << 20).withCapability(90));
    private static CudaContext context;
    private static ProbeReplay replay;

    @BeforeAll
    static void open() {
        context = DRIVER.open(0);
        replay = new ProbeReplay(context);
    }

    @AfterAll
    static void close() {
        replay.close();
        context.close();
        assertThat(DRIVER.record().liveAllocations()).isZero();
        assertThat(DRIVER.record().livePinned()).isZero();
        assertThat(DRIVER.record().leftovers()).isEmpty();
    }

    static Stream<Probe> probes() {
        return Probes.all().stream();
    }

    private static Probe probe(String instruction) {
        return probes().filter(each -> each.instruction().equals(instruction)).findFirst().orElseThrow();
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("probes")
    void theEmulatorComputesAsPlainJava(Probe probe) {
        Judgement judgement = probe.judge(replay.results(probe));
        assertThat(judgement.ok()).as("%d of %d: %s", judgement.wrong(), judgement.values(), judgement.message()).isTrue();
    }

    @Test
    void everyInstructionThatAKernelComputesWithHasAProbe() {
        Set<String> probed = probes().map(Probe::instruction).collect(Collectors.toSet());
        Map<String, String> missing = new TreeMap<>();
        for (Kernel kernel : KernelLibrary.all()) {
            for (String instruction : instructions(kernel.ptx())) {
                if (!probed.contains(instruction)) {
                    missing.putIfAbsent(instruction, kernel.name() + " " + kernel.variant());
                }
            }
        }
        assertThat(missing).as("instructions without a probe in kiln.kernels.probe.Probes, and a kernel that has them").isEmpty();
    }

    private static Set<String> instructions(String ptx) {
        Matcher matcher = INSTRUCTION.matcher(ptx);
        return matcher.results()
                .map(match -> match.group(1))
                .filter(opcode -> !NO_ARITHMETIC.contains(opcode.split("\\.")[0]))
                .collect(Collectors.toSet());
    }

    @Test
    void instructionsAreFoundInText() {
        String ptx = ".visible .entry k(\n    .param .u64 k_a\n)\n.maxnreg 40\n{\n    .reg .b32 %r<3>;\n    // add.s32 nothing\n    @!%p1 bra END_1;\n"
                + "    @%p12 ex2.approx.f32 %f1, %f2;\n    mov.u32 %r1, %tid.x;\nEND_1:\n    mma.sync.aligned.m16n8k8.row.col.f32.f16.f16.f32 {%f1};\n    ret;\n}\n";
        assertThat(instructions(ptx)).containsExactlyInAnyOrder("ex2.approx.f32", "mma.sync.aligned.m16n8k8.row.col.f32.f16.f16.f32");
        assertThat(instructions(probe("add.f32").ptx())).contains("add.f32");
    }

    @Test
    void instructionsAreProbedOnceAndWithTheSameOperandsEachTime() {
        List<Probe> probes = Probes.all();
        assertThat(probes).extracting(Probe::instruction).doesNotHaveDuplicates();
        assertThat(probes).extracting(Probe::operandChecksum).isEqualTo(Probes.all().stream().map(Probe::operandChecksum).toList());
        // On every Java: files are kept for years. Change it when these operands change, and say that new files are needed.
        assertThat(probe("mma.sync.aligned.m16n8k8.row.col.f32.f16.f16.f32").operandChecksum()).isEqualTo(-1445236997);
    }

    @Test
    void aWrongResultIsNamedWithItsOperands() {
        int[] results = replay.results(probe("sub.f32"));
        results[5] ^= 1;
        Judgement judgement = probe("sub.f32").judge(results);
        assertThat(judgement.ok()).isFalse();
        assertThat(judgement.wrong()).isEqualTo(1);
        assertThat(judgement.message())
                .isEqualTo("sub.f32 of 0.0 (0x00000000), 1.0 (0x3f800000) (row 5) gave -1.0000001 (0xbf800001), expected -1.0 (0xbf800000)");
    }

    @Test
    void approximationsMayDifferAsFarAsDocumented() {
        Probe probe = probe("rsqrt.approx.f32");
        int[] results = replay.results(probe);
        int one = 9;
        assertThat(results[one]).isEqualTo(Float.floatToRawIntBits(1));
        results[one]++;
        assertThat(probe.judge(results).ok()).isTrue();
        assertThat(probe.judge(results).error()).isEqualTo(0x1p-23);
        results[one]++;
        assertThat(probe.judge(results).message()).contains("rsqrt.approx.f32 of 1.0 (0x3f800000)", "gave 1.0000002 (0x3f800002), expected 1.0 within 1.28e-07");
    }

    @Test
    void tensorCoresMayAddInAnyOrderButNotLoseWhatNoOrderLoses() {
        Probe probe = probe("mma.sync.aligned.m16n8k16.row.col.f32.f16.f16.f32");
        int[] results = replay.results(probe);
        int wholeNumber = 6;
        int anyNumber = 32 * 4 + 6;
        results[anyNumber]++;
        assertThat(probe.judge(results).ok()).isTrue();
        results[wholeNumber]++;
        Judgement judgement = probe.judge(results);
        assertThat(judgement.wrong()).isEqualTo(1);
        assertThat(judgement.message()).startsWith(probe.instruction() + " of row 8, column 2: ").contains(" (row 1, value 2) gave ").doesNotContain("within");
    }

    @Test
    void anyNanServes() {
        int[] results = replay.results(probe("add.f32"));
        int nan = 10;
        assertThat(Float.intBitsToFloat(results[nan])).isNaN();
        results[nan] = 0xffc12345;
        assertThat(probe("add.f32").judge(results).ok()).isTrue();
        results[nan] = 0x7f800000;
        assertThat(probe("add.f32").judge(results).message()).contains("gave Infinity (0x7f800000), expected NaN");
    }
}
