package kiln.tui.view;

import kiln.runtime.job.GenerationRequest;

/** What the screen asks of the world. */
interface Effects {
    /** Queues a request whose events come back as messages with {@code id}; answers what cancels it. */
    Runnable submit(long id, GenerationRequest request);

    /** Reads a model's presets. */
    void loadFacts(UiModel model);

    /** Keeps a prompt for later runs. */
    void remember(String prompt);

    /** Reads the last job's parameters text, also of an earlier run. */
    void readParameters();

    void suspend();

    void redraw();
}
