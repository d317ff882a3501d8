package kiln.tui.view;

import kiln.runtime.job.GenerationRequest;

/** A screen that nothing stands behind. */
final class NoEffects implements Effects {
    @Override
    public Runnable submit(long id, GenerationRequest request) {
        return () -> {};
    }

    @Override
    public void loadFacts(UiModel model) {}

    @Override
    public void remember(String prompt) {}

    @Override
    public void readParameters() {}

    @Override
    public void suspend() {}

    @Override
    public void redraw() {}
}
