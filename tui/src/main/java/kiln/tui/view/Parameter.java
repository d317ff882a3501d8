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
    /** A second, larger pass: how many times larger. */
    HIRES("Hires"),
    SEED("Seed"),
    BATCH_SIZE("Batch size"),
    BATCH_COUNT("Batch count"),
    CLIP_SKIP("Clip skip"),
    /** All that has no field of its own: taken over with a picture's parameters, and to be declined. */
    SETTINGS("Settings");

    private final String label;

    Parameter(String label) {
        this.label = label;
    }

    String label() {
        return label;
    }

    boolean isNumber() {
        return ordinal() >= STEPS.ordinal() && this != SETTINGS;
    }

    boolean hasList() {
        return this == MODEL || this == SAMPLER || this == SCHEDULE || this == WIDTH || this == HEIGHT;
    }
}
