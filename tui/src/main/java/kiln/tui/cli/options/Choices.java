package kiln.tui.cli.options;

import java.util.Arrays;
import java.util.Iterator;
import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import kiln.runtime.engine.Devices;
import kiln.runtime.job.Setting;
import kiln.runtime.sampling.Sampler;
import kiln.runtime.sampling.Schedule;

/**
 * Values that a shell can complete: names without blanks, which completion scripts would split. Options that use them need parameter
 * labels of their own, as picocli's script names its variables after those.
 */
public final class Choices {
    private Choices() {}

    public static String samplerLabels() {
        return Arrays.stream(Sampler.values()).map(Sampler::label).collect(Collectors.joining(", "));
    }

    public static String scheduleLabels() {
        return Arrays.stream(Schedule.values()).map(Schedule::label).collect(Collectors.joining(", "));
    }

    /** Samplers by their aliases. */
    static final class Samplers implements Iterable<String> {
        @Override
        public Iterator<String> iterator() {
            return Arrays.stream(Sampler.values()).map(sampler -> sampler.aliases().get(0)).iterator();
        }
    }

    static final class Schedules implements Iterable<String> {
        @Override
        public Iterator<String> iterator() {
            return Arrays.stream(Schedule.values()).map(Schedule::id).iterator();
        }
    }

    static final class ExecutorNames implements Iterable<String> {
        @Override
        public Iterator<String> iterator() {
            return Devices.NAMES.iterator();
        }
    }

    static final class Precisions implements Iterable<String> {
        @Override
        public Iterator<String> iterator() {
            return Stream.of("auto", "f32", "bf16").iterator();
        }
    }

    static final class WeightFormats implements Iterable<String> {
        @Override
        public Iterator<String> iterator() {
            return List.of("f16", "int8", "f32").iterator();
        }
    }

    static final class GemmLibraries implements Iterable<String> {
        @Override
        public Iterator<String> iterator() {
            return List.of("auto", "ptx", "cublas").iterator();
        }
    }

    static final class ConvolutionLibraries implements Iterable<String> {
        @Override
        public Iterator<String> iterator() {
            return List.of("auto", "ptx", "cudnn").iterator();
        }
    }

    static final class NoiseKinds implements Iterable<String> {
        @Override
        public Iterator<String> iterator() {
            return List.of("cpu", "nv", "gpu").iterator();
        }
    }

    /** Settings by their names in A1111's config.json, each with its usual value. */
    static final class Settings implements Iterable<String> {
        @Override
        public Iterator<String> iterator() {
            return Arrays.stream(Setting.values()).map(setting -> setting.configName() + "=" + setting.usual()).iterator();
        }
    }
}
