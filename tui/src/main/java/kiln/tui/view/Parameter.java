package kiln.tui.view;

/** The fields of a request besides its texts, in the order of the screen. */
enum Parameter {
    MODEL("Model"),
    SAMPLER("Sampler"),
    SCHEDULE("Schedule"),
    STEPS("Steps"),
    CFG_SCALE("CFG"),
    WIDTH("Width"),
    HEIGHT("Height"),
    SEED("Seed"),
    BATCH_SIZE("Batch size"),
    BATCH_COUNT("Batch count"),
    CLIP_SKIP("Clip skip");

    private final String label;

    Parameter(String label) {
        this.label = label;
    }

    String label() {
        return label;
    }

    boolean isNumber() {
        return ordinal() >= STEPS.ordinal();
    }

    boolean hasList() {
        return this == MODEL || this == SAMPLER || this == SCHEDULE || this == WIDTH || this == HEIGHT;
    }
}
