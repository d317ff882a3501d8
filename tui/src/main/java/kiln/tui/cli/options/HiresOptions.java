package kiln.tui.cli.options;

import kiln.runtime.base.KilnException;
import kiln.runtime.job.GenerationRequest;
import kiln.runtime.job.HiresPass;
import picocli.CommandLine.Option;

/** A second, larger pass, as options; one of them is enough to ask for it. */
public final class HiresOptions {
    @Option(names = {"--hires", "--enable-hr"}, description = "Draw a second pass at twice the size (A1111's hires fix).")
    boolean hires;

    @Option(names = {"--hires-scale", "--hr-scale"}, paramLabel = "X", description = "How much larger. Default: 2.")
    Double scale;

    @Option(
            names = "--hires-resize",
            paramLabel = "WIDTHxHEIGHT",
            description = "To this size; 0 for a side that follows from the other.")
    String resize;

    @Option(
            names = {"--hires-upscaler", "--hr-upscaler"},
            paramLabel = "NAME",
            description = "Latent, Latent (antialiased), Latent (bicubic), Latent (bicubic antialiased), Latent (nearest) or Latent"
                    + " (nearest-exact). Default: Latent.")
    String upscaler;

    @Option(names = {"--hires-steps", "--hr-second-pass-steps"}, paramLabel = "N", description = "Default: as in the first pass.")
    Integer steps;

    @Option(names = {"--hires-denoising-strength"}, paramLabel = "X", description = "0 to 1. Default: 0.7.")
    Double denoisingStrength;

    @Option(
            names = {"--hires-sampler", "--hr-sampler-name"},
            paramLabel = "HIRES_SAMPLER",
            completionCandidates = Choices.Samplers.class,
            description = "Default: as in the first pass.")
    String sampler;

    @Option(
            names = {"--hires-schedule", "--hr-scheduler"},
            paramLabel = "HIRES_SCHEDULE",
            completionCandidates = Choices.Schedules.class,
            description = "Default: as in the first pass.")
    String schedule;

    @Option(names = {"--hires-prompt", "--hr-prompt"}, paramLabel = "TEXT", description = "Default: as in the first pass.")
    String prompt;

    @Option(
            names = {"--hires-negative-prompt", "--hr-negative-prompt"},
            paramLabel = "TEXT",
            description = "Default: as in the first pass.")
    String negativePrompt;

    @Option(names = {"--hires-cfg-scale"}, paramLabel = "X", description = "Default: as in the first pass.")
    Double cfgScale;

    /** Adds the pass that was asked for, if one was. */
    public void apply(GenerationRequest.Builder request) {
        boolean asked = hires || scale != null || resize != null || upscaler != null || steps != null || denoisingStrength != null
                || sampler != null || schedule != null || prompt != null || negativePrompt != null || cfgScale != null;
        if (!asked) {
            return;
        }
        HiresPass before = request.build().hires();
        HiresPass usual = before == null ? HiresPass.usual() : before;
        int[] size = resize == null ? new int[] {usual.width(), usual.height()} : PictureOptions.size("--hires-resize", resize);
        HiresPass pass = new HiresPass(
                or(upscaler, usual.upscaler()),
                or(scale, usual.scale()),
                scale != null && resize == null ? 0 : size[0],
                scale != null && resize == null ? 0 : size[1],
                or(steps, usual.steps()),
                or(denoisingStrength, usual.denoisingStrength()),
                or(sampler, usual.sampler()),
                or(schedule, usual.schedule()),
                or(prompt, usual.prompt()),
                or(negativePrompt, usual.negativePrompt()),
                or(cfgScale, usual.cfgScale()));
        if (scale != null && resize != null) {
            throw KilnException.badRequest("--hires-scale and --hires-resize both say how large: give one");
        }
        request.hires(pass);
        // Unknown names must be told before a model is loaded.
        pass.choice(request.build());
    }

    private static <T> T or(T given, T usual) {
        return given == null ? usual : given;
    }
}
