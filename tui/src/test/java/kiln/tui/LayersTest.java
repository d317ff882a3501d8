package kiln.tui;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.PrintWriter;
import java.io.StringWriter;
import java.net.URI;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.spi.ToolProvider;
import kiln.kernels.Kernel;
import kiln.runtime.engine.Engine;
import kiln.tui.cli.Cli;
import kiln.weights.WeightsFile;
import org.junit.jupiter.api.Test;

/**
 * The arrows between packages, read from class files: each package uses only what stands in a layer below its own, so that a reader who walks
 * from prompt to picture or from file to card meets no step back.
 */
class LayersTest {
    /** Lowest first. Packages of one layer do not know each other. */
    private static final List<Set<String>> RUNTIME = List.of(
            Set.of("base"),
            Set.of("graph", "text", "noise", "sampling", "image"),
            Set.of("plan", "job"),
            Set.of("store", "exec", "script"),
            Set.of("exec.reference", "exec.onednn", "exec.cuda.library"),
            Set.of("exec.cuda.program"),
            Set.of("exec.cuda.residence"),
            Set.of("exec.cuda.run"),
            Set.of("exec.cuda"),
            Set.of("exec.cuda.measure"),
            Set.of("model"),
            Set.of("family.sd1"),
            Set.of("family"),
            Set.of("addon", "upscale", "merge"),
            Set.of("pipeline"),
            Set.of("engine"),
            Set.of("check"));

    /** The empty name is the root, which starts everything. */
    private static final List<Set<String>> TERMINAL = List.of(
            Set.of("text", "input", "bundle"),
            Set.of("output", "command"),
            Set.of("picture", "editor", "terminal"),
            Set.of("view"),
            Set.of("cli.base"),
            Set.of("cli.options", "cli.reports"),
            Set.of("cli.commands"),
            Set.of("cli"),
            Set.of(""));

    /** What the terminal knows of the runtime: requests and what becomes of them, and reports as plain records. */
    private static final Set<String> USED_BY_THE_TERMINAL =
            Set.of("base", "job", "image", "noise", "sampling", "text", "script", "merge", "engine", "check");

    /** Text below, then the driver and what a kernel is, then the kernels by rooms, and what checks them above. */
    private static final List<Set<String>> KERNELS = List.of(
            Set.of("kernels.ptx"),
            Set.of("kernels"),
            Set.of("kernels.op"),
            Set.of("kernels.op.element", "kernels.op.norm"),
            Set.of("kernels.op.product", "kernels.op.attention"),
            Set.of("kernels.cases", "kernels.probe"));

    private static final List<Set<String>> WEIGHTS = List.of(Set.of("weights.map", "weights.pickle"), Set.of("weights"));

    private static final Pattern ARROW = Pattern.compile("^\\s+(kiln\\S*)\\s+-> (kiln\\S*)\\s");

    @Test
    void noArrowOfTheRuntimeRunsBackUp() {
        assertThat(arrowsThatRunUp("kiln.runtime", RUNTIME, Engine.class)).isEmpty();
    }

    @Test
    void noArrowOfTheTerminalRunsBackUp() {
        assertThat(arrowsThatRunUp("kiln.tui", TERMINAL, Cli.class)).isEmpty();
    }

    @Test
    void theTerminalUsesTheRuntimeOnly() {
        Set<String> others = new TreeSet<>();
        for (String[] arrow : arrows(Cli.class)) {
            boolean known = arrow[1].startsWith("kiln.tui.") || USED_BY_THE_TERMINAL.contains(arrow[1].replaceFirst("^kiln\\.runtime\\.", ""));
            if (!known) {
                others.add(arrow[0] + " -> " + arrow[1]);
            }
        }
        assertThat(others).isEmpty();
    }

    @Test
    void noArrowOfTheKernelsRunsBackUp() {
        assertThat(arrowsThatRunUp("kiln", KERNELS, Kernel.class)).isEmpty();
    }

    @Test
    void noArrowOfTheWeightsRunsBackUp() {
        assertThat(arrowsThatRunUp("kiln", WEIGHTS, WeightsFile.class)).isEmpty();
    }

    private static Set<String> arrowsThatRunUp(String root, List<Set<String>> layers, Class<?> member) {
        Map<String, Integer> heights = new HashMap<>();
        for (int height = 0; height < layers.size(); height++) {
            for (String name : layers.get(height)) {
                heights.put(name.isEmpty() ? root : root + "." + name, height);
            }
        }
        Set<String> wrong = new TreeSet<>();
        for (String[] arrow : arrows(member)) {
            if (!arrow[0].startsWith(root) || !arrow[1].startsWith(root) || arrow[0].equals(arrow[1])) {
                continue;
            }
            Integer from = heights.get(arrow[0]);
            Integer to = heights.get(arrow[1]);
            if (from == null || to == null) {
                wrong.add((from == null ? arrow[0] : arrow[1]) + " stands in no layer");
            } else if (to >= from) {
                wrong.add(arrow[0] + " -> " + arrow[1]);
            }
        }
        return wrong;
    }

    /** From package to package, as jdeps sees them in the classes or the jar that {@code member} was loaded from. */
    private static List<String[]> arrows(Class<?> member) {
        Path classes = Path.of(URI.create(member.getProtectionDomain().getCodeSource().getLocation().toString()));
        StringWriter out = new StringWriter();
        ToolProvider jdeps = ToolProvider.findFirst("jdeps").orElseThrow();
        int exit = jdeps.run(
                new PrintWriter(out), new PrintWriter(out), "-verbose:package", "-filter:none", "--multi-release", "base", classes.toString());
        assertThat(exit).as(out.toString()).isZero();
        List<String[]> arrows = new ArrayList<>();
        for (String line : out.toString().split("\n")) {
            Matcher arrow = ARROW.matcher(line);
            if (arrow.find()) {
                arrows.add(new String[] {arrow.group(1), arrow.group(2)});
            }
        }
        assertThat(arrows).as("what jdeps found in " + classes).isNotEmpty();
        return arrows;
    }
}
