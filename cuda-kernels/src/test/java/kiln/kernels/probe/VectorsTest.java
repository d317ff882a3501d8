package kiln.kernels.probe;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import kiln.kernels.CudaContext;
import kiln.kernels.emulator.EmulatedCard;
import kiln.kernels.emulator.EmulatedDriver;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.api.io.TempDir;

/** Files of what cards gave, and the emulator held to those that are kept. */
class VectorsTest {
    /** Where the file that {@code card-report} leaves is put, to be kept. */
    private static final Path KEPT = Path.of("src/test/resources/kiln/kernels/probe");

    private static final String ADD = "add.f32";

    @TempDir
    private Path folder;

    /** What an emulated card gives, as a file. */
    private static Vectors taken(int capability, List<Probe> probes) {
        EmulatedDriver driver = new EmulatedDriver(EmulatedCard.ofBytes(16 << 20).withCapability(capability));
        try (CudaContext context = driver.open(0);
                ProbeReplay replay = new ProbeReplay(context)) {
            Map<String, Vectors.Entry> results = new LinkedHashMap<>();
            for (Probe probe : probes) {
                if (replay.canRun(probe)) {
                    results.put(probe.instruction(), Vectors.entry(probe, replay.results(probe)));
                }
            }
            return new Vectors(replay.capability(), context.device().name(), results);
        }
    }

    /** What is wrong with a file's results, and where the emulator differs from them by more than an instruction may. */
    private static List<String> differences(Vectors kept) {
        List<Probe> probes = Probes.all().stream().filter(kept::has).toList();
        Vectors emulated = taken(kept.capability(), probes);
        List<String> differences = new ArrayList<>();
        for (Probe probe : probes) {
            try {
                Judgement card = probe.judge(kept.of(probe));
                Judgement emulator = probe.judge(emulated.of(probe));
                Stream.of(card, emulator).filter(each -> !each.ok()).forEach(each -> differences.add(each.message()));
            } catch (IllegalArgumentException e) {
                differences.add(e.getMessage());
            }
        }
        return differences;
    }

    private static Vectors with(Vectors vectors, String instruction, Vectors.Entry entry) {
        Map<String, Vectors.Entry> results = new LinkedHashMap<>(vectors.results());
        results.put(instruction, entry);
        return new Vectors(vectors.capability(), vectors.card(), results);
    }

    @TestFactory
    Stream<DynamicTest> theEmulatorComputesAsTheCardsDidWhoseFilesAreKept() throws IOException {
        if (!Files.isDirectory(KEPT)) {
            return Stream.of();
        }
        try (Stream<Path> files = Files.list(KEPT)) {
            return files.filter(file -> file.toString().endsWith(".vectors")).sorted().toList().stream()
                    .map(file -> DynamicTest.dynamicTest(file.getFileName().toString(), () -> assertHolds(file)));
        }
    }

    private static void assertHolds(Path file) throws IOException {
        Vectors kept = Vectors.read(file);
        assertThat(file).hasFileName(kept.fileName());
        assertThat(kept.card()).as("the card of a kept file").doesNotContainIgnoringCase("emulated");
        assertThat(kept.results()).isNotEmpty();
        assertThat(differences(kept)).isEmpty();
    }

    @Test
    void aFileHoldsWhatACardGave() throws IOException {
        for (int capability : new int[] {50, 75, 90}) {
            Vectors taken = taken(capability, Probes.all());
            Path file = taken.write(folder.resolve("new"));
            assertThat(file).hasFileName("sm_" + capability + ".vectors");
            Vectors read = Vectors.read(file);
            assertThat(read.card()).isEqualTo("Emulated card");
            assertThat(read.results()).hasSameSizeAs(taken.results());
            assertThat(read.of(Probes.all().get(0))).containsExactly(taken.of(Probes.all().get(0)));
            assertThat(differences(read)).isEmpty();
            assertThat(Files.size(file)).isBetween(10_000L, 100_000L);
        }
    }

    @Test
    void aWrongResultInAFileIsNamed() throws IOException {
        Probe add = Probes.all().get(0);
        assertThat(add.instruction()).isEqualTo(ADD);
        Vectors taken = taken(50, Probes.all());
        int[] results = taken.of(add);
        // What a card that flushes subnormal numbers would give.
        assertThat(results[2]).isEqualTo(1);
        results[2] = 0;
        Path file = with(taken, ADD, Vectors.entry(add, results)).write(folder);
        assertThat(differences(Vectors.read(file)))
                .containsExactly("add.f32 of 0.0 (0x00000000), 1.4E-45 (0x00000001) (row 2) gave 0.0 (0x00000000), expected 1.4E-45 (0x00000001)");
    }

    @Test
    void resultsOfOtherOperandsAreNotCompared() {
        Probe add = Probes.all().get(0);
        Vectors taken = taken(50, List.of(add));
        Vectors.Entry other = new Vectors.Entry(add.operandChecksum() + 1, taken.of(add));
        assertThatThrownBy(() -> with(taken, ADD, other).of(add))
                .hasMessage(
                        "sm_50.vectors: add.f32 has other operands now than when its results were kept: leave them as they were, or keep a newer file");
    }

    @Test
    void aFileFromBeforeAnInstructionWasUsedStillServes() {
        Vectors taken = taken(50, Probes.all().subList(1, 3));
        assertThat(taken.has(Probes.all().get(0))).isFalse();
        assertThat(taken.has(Probes.all().get(1))).isTrue();
        assertThat(differences(taken)).isEmpty();
    }

    @Test
    void whatAnEmulatedCardGaveIsNotKept() throws IOException {
        Path file = taken(75, Probes.all()).write(folder);
        assertThatThrownBy(() -> assertHolds(file)).isInstanceOf(AssertionError.class).hasMessageContaining("the card of a kept file");
        Path real = Files.writeString(file, Files.readString(file).replace("Emulated card", "NVIDIA T4"));
        assertHolds(real);
    }

    @Test
    void aDamagedFileIsRefusedWithItsLine() throws IOException {
        Path file = taken(50, Probes.all().subList(0, 2)).write(folder);
        List<String> lines = new ArrayList<>(Files.readAllLines(file));
        lines.set(2, lines.get(2).substring(0, lines.get(2).length() - 40));
        Files.write(file, lines);
        assertThatThrownBy(() -> Vectors.read(file)).isInstanceOf(IOException.class).hasMessageStartingWith(file + ", line 3 is damaged: ");
        Files.writeString(file, "add.f32 0 AAAA\n");
        assertThatThrownBy(() -> Vectors.read(file)).isInstanceOf(IOException.class).hasMessageContaining("does not begin with");
    }
}
