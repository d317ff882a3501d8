package kiln.runtime.text;

import java.util.List;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.Warmup;

/** Texts of 10⁵ characters: 10 000 µs a text would be ten million characters a second. */
@State(Scope.Benchmark)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.MICROSECONDS)
@Fork(1)
@Warmup(iterations = 3, time = 1)
@Measurement(iterations = 3, time = 1)
public class ClipTokenizerBenchmark {
    @Param({"english", "cjk", "oneWord"})
    public String text;

    private String prompt;
    private ClipTokenizer tokenizer;

    @Setup
    public void prepare() {
        tokenizer = ClipTokenizer.load();
        String part = switch (text) {
            case "english" -> "a portrait of an old fisherman, (weathered:1.2) face, oil painting, it's raining, 4k ";
            case "cjk" -> "夕暮れの東京タワー、👩‍🚀と猫，";
            default -> "incomprehensibility";
        };
        prompt = part.repeat(100_000 / part.length() + 1).substring(0, 100_000);
    }

    @Benchmark
    public int[] encode() {
        return tokenizer.encode(prompt);
    }

    @Benchmark
    public List<TokenChunk> chunks() {
        return PromptChunks.of(tokenizer, prompt);
    }

    /** What the first prompt of a run waits for, once the classes are warm. */
    @Benchmark
    public Object loadVocabulary() {
        return Merges.load();
    }
}
