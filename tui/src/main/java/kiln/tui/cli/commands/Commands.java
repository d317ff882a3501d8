package kiln.tui.cli.commands;

import java.util.List;
import kiln.tui.cli.base.CliContext;

/** Every command by name, in the order of the help. */
public final class Commands {
    public static final List<String> NAMES = List.of(
            "txt2img", "img2img", "upscale", "grid", "batch", "merge", "models", "loras", "embeddings", "upscalers", "styles", "settings",
            "inspect", "tokens", "plan", "bench", "selftest", "kernels", "doctor", "bundle", "completion", "version");

    private Commands() {}

    /** The command of that name; {@code null} stands for the terminal UI. */
    public static CliCommand create(String name, CliContext context) {
        if (name == null) {
            return new UiCommand(context);
        }
        return switch (name) {
            case "txt2img" -> new Txt2imgCommand(context);
            case "img2img" -> new Img2imgCommand(context);
            case "upscale" -> new UpscaleCommand(context);
            case "upscalers" -> new UpscalersCommand(context);
            case "grid" -> new GridCommand(context);
            case "batch" -> new BatchCommand(context);
            case "merge" -> new MergeCommand(context);
            case "styles" -> new StylesCommand(context);
            case "models" -> new ModelsCommand(context);
            case "loras" -> new LorasCommand(context);
            case "embeddings" -> new EmbeddingsCommand(context);
            case "settings" -> new SettingsCommand(context);
            case "inspect" -> new InspectCommand(context);
            case "tokens" -> new TokensCommand(context);
            case "plan" -> new PlanCommand(context);
            case "bench" -> new BenchCommand(context);
            case "selftest" -> new SelftestCommand(context);
            case "kernels" -> new KernelsCommand(context);
            case "doctor" -> new DoctorCommand(context);
            case "bundle" -> new BundleCommand(context);
            case "completion" -> new CompletionCommand(context);
            case "version" -> new VersionCommand(context);
            default -> throw new IllegalArgumentException(name);
        };
    }
}
