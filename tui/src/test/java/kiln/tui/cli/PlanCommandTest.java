package kiln.tui.cli;

import static kiln.tui.cli.CliTest.assertFailure;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Plans for a card, made with the bundled model: 23 MiB of weights in 16 bits, of which the denoiser has half. */
class PlanCommandTest {
    private static final long MIB = 1 << 20;

    @TempDir
    private Path folder;

    private Run plan(String... arguments) {
        List<String> all = new ArrayList<>(List.of("plan"));
        all.addAll(Arrays.asList(arguments));
        return Run.in(folder).demo().kiln(all.toArray(new String[0]));
    }

    private JsonNode json(String... arguments) throws IOException {
        List<String> all = new ArrayList<>(List.of("--json"));
        all.addAll(Arrays.asList(arguments));
        Run run = plan(all.toArray(new String[0]));
        assertThat(run.exitCode()).as(run.err()).isZero();
        assertThat(run.err()).isEmpty();
        return new ObjectMapper().readTree(run.out());
    }

    @Test
    void everythingStaysWhereThereIsRoom() throws IOException {
        JsonNode plan = json("--vram-budget", "1700M");
        assertThat(plan.get("fits").asBoolean()).isTrue();
        assertThat(plan.get("residency").asText()).isEqualTo("resident");
        assertThat(plan.get("streamedBytesPerStep").asLong()).isZero();
        assertThat(plan.get("budgetBytes").asLong()).as("32 MiB are left for the driver's rounding").isEqualTo((1700 - 32) * MIB);
        assertThat(plan.get("peakBytes").asLong())
                .isEqualTo(plan.get("contextBytes").asLong() + plan.get("weightsBytes").asLong() + plan.get("activationBytes").asLong());
        long weights = 0;
        for (JsonNode network : plan.get("networks")) {
            weights += network.get("residentBytes").asLong();
        }
        assertThat(plan.get("weightsBytes").asLong()).isEqualTo(weights);
        assertThat(plan.get("shortage").isNull()).isTrue();
        assertThat(plan.get("weights").asText()).isEqualTo("f16");
    }

    @Test
    void aSmallerBudgetMakesTheNetworksTakeTurnsThenStreams() throws IOException {
        JsonNode turns = json("--vram-budget", "158M");
        assertThat(turns.get("residency").asText()).isEqualTo("medvram");
        assertThat(turns.get("turnBytesPerBatch").asLong()).isPositive();
        JsonNode streamed = json("--vram-budget", "153M");
        assertThat(streamed.get("fits").asBoolean()).isTrue();
        assertThat(streamed.get("residency").asText()).isEqualTo("lowvram");
        assertThat(streamed.get("peakBytes").asLong()).isLessThanOrEqualTo((153 - 32) * MIB);
        JsonNode denoiser = streamed.get("networks").get(1);
        assertThat(denoiser.get("network").asText()).isEqualTo("denoiser");
        long copied = 0;
        for (JsonNode piece : denoiser.get("streamed")) {
            copied += piece.get("bytes").asLong();
            assertThat(piece.get("bytes").asLong()).isLessThanOrEqualTo(denoiser.get("slotBytes").asLong());
            assertThat(piece.get("weights").get(0).asText()).startsWith("model.diffusion_model.");
        }
        assertThat(streamed.get("streamedBytesPerStep").asLong()).isEqualTo(copied).isPositive();
        assertThat(denoiser.get("residentBytes").asLong() + copied).isCloseTo(denoiser.get("weightsBytes").asLong(), within(100_000L));
    }

    @Test
    void everythingIn32BitsTakesTwiceAsMuchWhicheverOptionSaysSo() throws IOException {
        JsonNode half = json("--vram-budget", "2G");
        JsonNode full = json("--vram-budget", "2G", "--precision", "full");
        assertThat(full.get("weightsBytes").asLong()).isCloseTo(2 * half.get("weightsBytes").asLong(), within(100_000L));
        assertThat(json("--vram-budget", "2G", "--no-half").get("peakBytes")).isEqualTo(full.get("peakBytes"));
    }

    @Test
    void whatDoesNotFitIsToldWithItsReasonAndIsNoError() throws IOException {
        JsonNode plan = json("--vram-budget", "120M");
        assertThat(plan.get("fits").asBoolean()).isFalse();
        assertThat(plan.get("shortage").asText()).contains(" needs ").contains("88.0 MiB may be used");
        assertThat(plan("--vram-budget", "120M").out()).contains("does not fit").contains("draw a smaller picture");
    }

    @Test
    void usualSizesAreComparedWith() throws IOException {
        JsonNode others = json("--vram-budget", "200M", "--width", "512", "--height", "512").get("otherSizes");
        assertThat(others).hasSize(2);
        assertThat(others.get(1).get("width").asInt()).isEqualTo(1024);
        assertThat(others.get(1).get("fits").asBoolean()).isTrue();
        Run text = plan("--vram-budget", "200M");
        assertThat(text.out()).contains("512x512 ").contains("768x768 ").containsPattern("1024x1024 +fits as .*, decoder in bands\n");
        Run tight = plan("--vram-budget", "153M");
        assertThat(tight.out()).containsPattern("1024x1024 +does not fit: the denoiser needs ");
    }

    @Test
    void headroomFlagsAndFormatsCount() throws IOException {
        assertThat(json("--vram-budget", "1G", "--vram-headroom", "200M").get("budgetBytes").asLong()).isEqualTo((1024 - 232) * MIB);
        assertThat(json("--medvram").get("residency").asText()).isEqualTo("medvram");
        assertThat(json("--executor", "cuda").get("residency").asText()).isEqualTo("resident");
        assertThat(json("--medvram").get("budgetBytes").isNull()).isTrue();
        JsonNode lowvram = json("--lowvram");
        assertThat(lowvram.get("residency").asText()).isEqualTo("lowvram");
        assertThat(lowvram.get("budgetBytes").asLong()).isEqualTo((1700 - 32) * MIB);
        long half = json("--weights", "f16").get("weightsBytes").asLong();
        assertThat(json("--weights", "int8").get("weightsBytes").asLong()).isBetween(half / 2, half * 9 / 10);
        // What alignment adds is the same.
        assertThat(json("--weights", "f32").get("weightsBytes").asLong()).isBetween(half * 19 / 10, half * 2);
        assertThat(json("--weights", "f16", "--use-cpu", "text").get("networks")).hasSize(2);
    }

    @Test
    void ratesDecideThePredictedTimes() throws IOException {
        JsonNode usual = json("--vram-budget", "153M");
        assertThat(usual.get("assumed").get("flopsPerSecond").asDouble()).isEqualTo(5e12);
        assertThat(usual.get("assumed").get("busBytesPerSecond").asDouble()).isEqualTo(12e9);
        double flops = usual.get("networks").get(1).get("flops").asDouble();
        assertThat(usual.get("computeSecondsPerStep").asDouble()).isCloseTo(flops / 5e12, within(1e-12));
        assertThat(usual.get("secondsPerStep").asDouble()).isGreaterThanOrEqualTo(flops / 5e12);
        JsonNode slow = json("--vram-budget", "153M", "--flop-rate", "0.5", "--bus-rate", "0.1");
        assertThat(slow.get("computeSecondsPerStep").asDouble()).isCloseTo(flops / 0.5e12, within(1e-12));
        assertThat(slow.get("secondsPerStep").asDouble()).isGreaterThanOrEqualTo(slow.get("streamedBytesPerStep").asLong() / 0.1e9);
        assertThat(plan("--flop-rate", "2").out()).contains("2.000 TFLOP/s").contains("12.00 GB/s");
    }

    @Test
    void theTextTellsWhatStaysAndWhatIsStreamed() {
        Run run = plan("--vram-budget", "153M", "--nodes");
        assertThat(run.exitCode()).isZero();
        assertThat(run.out())
                .containsPattern("fits +lowvram: ")
                .containsPattern("peak +1[0-9.]+ MiB in the ")
                .containsPattern("copied +[0-9]+ pieces a step, of .*output_blocks")
                .containsPattern("stays +[0-9]+ B  model.diffusion_model.time_embed.0.weight")
                .containsPattern("piece 0, slot 0 +[0-9]+ B  model.diffusion_model");
    }

    @Test
    void withNothingForACardToDoThePlanIsTheCpus() throws IOException {
        // On a machine with a card the plan is that card's, unless the CPU is to compute.
        assertThat(json("--use-cpu", "all").has("residency")).isFalse();
        assertThat(json("--executor", "onednn", "--xformers", "--device-id", "0").has("residency")).isFalse();
        assertThat(json("--vram-budget", "1G").get("card").isNull()).isTrue();
    }

    @Test
    void theCpusPlanTellsBandsAndWhatLowramSaves() throws IOException {
        JsonNode plan = json("--use-cpu", "all", "--precision", "full", "--width", "1024", "--height", "1024");
        JsonNode lowram = json("--use-cpu", "all", "--precision", "full", "--width", "1024", "--height", "1024", "--lowram");
        JsonNode decoder = plan.get("networks").get(plan.get("networks").size() - 1);
        assertThat(decoder.get("bands").asInt()).isGreaterThan(1);
        assertThat(decoder.get("activationBytes").asDouble() / decoder.get("wholeActivationBytes").asDouble()).isBetween(0.5, 0.7);
        assertThat(plan.get("lowramWeightsBytes").asDouble() / plan.get("weightsBytes").asDouble()).isBetween(0.5, 0.8);
        assertThat(plan.get("peakBytes").asLong() - lowram.get("peakBytes").asLong())
                .isEqualTo(plan.get("weightsBytes").asLong() - plan.get("lowramWeightsBytes").asLong());
        assertThat(plan("--use-cpu", "all", "--precision", "full", "--width", "1024", "--height", "1024").out())
                .containsPattern("decoder .*in up to [0-9]+ bands \\([0-9.]+ MiB in whole maps\\)")
                .contains(" with --lowram");
    }

    @ParameterizedTest
    @ValueSource(strings = {"--vram-budget=much", "--vram-headroom=-1M", "--weights=f8", "--bus-rate=0", "--flop-rate=NaN", "--bus-rate=x"})
    void valuesThatMeanNothingAreOneLine(String option) {
        assertFailure(plan("--vram-budget=1G", option), 2, option.replaceFirst("=.*", ""));
    }

    @Test
    void aCardWithNothingToDoHasNoPlan() {
        assertFailure(plan("--vram-budget", "1G", "--use-cpu", "unet"), 2, "--use-cpu unet");
        assertFailure(plan("--vram-budget", "1G", "--width", "516"), 2, "width 516");
    }
}
