package kiln.runtime.check;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;
import java.util.function.Function;
import kiln.runtime.base.KilnException;
import kiln.runtime.base.Selection;
import kiln.runtime.engine.Devices;
import kiln.runtime.engine.EngineOptions;
import kiln.runtime.exec.Executor;
import kiln.runtime.exec.WeightSource;
import kiln.runtime.family.ModelFiles;
import kiln.runtime.image.Picture;
import kiln.runtime.image.PngReader;
import kiln.runtime.job.GenerationRequest;
import kiln.runtime.job.KeptPictures;
import kiln.runtime.pipeline.Drawing;
import kiln.runtime.pipeline.ModelSession;

/**
 * Draws pictures with the demo model and compares them with those that PyTorch drew in 32 bits: the whole way from the prompt to the colours.
 */
public final class PictureSelfTest {
    /**
     * How one picture went.
     *
     * @param error mean difference of the values, which are 0 to 255; NaN when it could not be drawn
     * @param allowed by the executor's number format
     * @param message why it could not be drawn; else {@code null}
     */
    public record Case(String name, double error, double allowed, boolean ok, String message) {}

    private record Golden(String name, GenerationRequest request) {}

    /** Sums of 32 bits in another order stay three orders below one step of colour. */
    private static final double ALLOWED_F32 = 0.05;

    private static final double ALLOWED_F16 = 1;
    /** Eight bits of a number are left. */
    private static final double ALLOWED_BF16 = 4;

    private static final List<Golden> GOLDEN = List.of(
            // Drawn by Kiln's own plain Java: small enough for an emulated card.
            golden("heart", "flat red heart", "", 64, 2, 4, 1),
            golden("apple", "3d red apple", "flat", 128, 20, 4, 1000),
            golden("rocket", "3d rocket on a black background", "", 128, 10, 5, 1074),
            golden("house", "house on a yellow background", "", 128, 12, 3, 1185));

    private PictureSelfTest() {}

    private static Golden golden(String name, String prompt, String negative, int side, int steps, double cfgScale, long seed) {
        GenerationRequest request = GenerationRequest.builder()
                .prompt(prompt)
                .negativePrompt(negative)
                .sampler("Euler")
                .width(side)
                .height(side)
                .steps(steps)
                .cfgScale(cfgScale)
                .seed(seed)
                .build();
        return new Golden(name, request);
    }

    /**
     * Draws with the executor that the options choose.
     *
     * @param demo the demo model
     * @param selection of "picture:", its name and its size
     * @param notices told in one line what a person may want to know while the executor works
     * @param listener told each case as soon as it is done
     */
    public static List<Case> run(
            EngineOptions options, Path demo, Selection selection, Consumer<String> notices, Consumer<Case> listener) {
        return run(file -> Devices.alone(options, file, notices), demo, selection, listener);
    }

    static List<Case> run(Function<WeightSource, Executor> executor, Path demo, Selection selection, Consumer<Case> listener) {
        List<Case> results = new ArrayList<>();
        try (ModelSession model = new ModelSession(ModelFiles.open(demo), executor)) {
            for (Golden golden : GOLDEN) {
                GenerationRequest request = golden.request();
                if (selection.takes("picture: " + golden.name() + " " + request.width() + "x" + request.height())) {
                    Case result = compare(model, golden);
                    results.add(result);
                    listener.accept(result);
                }
            }
        }
        return List.copyOf(results);
    }

    private static Case compare(ModelSession model, Golden golden) {
        double allowed = switch (model.precision()) {
            case F32 -> ALLOWED_F32;
            case F16 -> ALLOWED_F16;
            default -> ALLOWED_BF16;
        };
        try {
            double error = meanDifference(draw(model, golden.request()), expected(golden.name()));
            return new Case(golden.name(), error, allowed, error <= allowed, null);
        } catch (KilnException e) {
            return new Case(golden.name(), Double.NaN, allowed, false, e.getMessage());
        }
    }

    static Picture draw(ModelSession model, GenerationRequest request) {
        KeptPictures kept = new KeptPictures();
        new Drawing(model, request, kept, () -> false, event -> {}).run();
        return kept.pictures().get(0);
    }

    private static Picture expected(String name) {
        String file = "golden/" + name + ".png";
        try (InputStream in = PictureSelfTest.class.getResourceAsStream(file)) {
            return PngReader.readPicture(in.readAllBytes(), file);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static double meanDifference(Picture drawn, Picture expected) {
        double sum = 0;
        for (int i = 0; i < expected.rgb().length; i++) {
            sum += Math.abs((drawn.rgb()[i] & 255) - (expected.rgb()[i] & 255));
        }
        return sum / expected.rgb().length;
    }
}
