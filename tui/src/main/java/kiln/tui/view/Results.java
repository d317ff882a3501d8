package kiln.tui.view;

/** Puts what background work found into the state. */
final class Results {
    private final UiState state;
    private final Effects effects;
    private final Actions actions;

    Results(UiState state, Effects effects, Actions actions) {
        this.state = state;
        this.actions = actions;
        this.effects = effects;
    }

    void accept(Message.Result result) {
        if (result instanceof Message.Result.Models found) {
            state.modelsKnown = true;
            state.form.models(found.models());
            if (state.form.model() != null) {
                effects.loadFacts(state.form.model());
            } else {
                state.ready = true;
            }
        } else if (result instanceof Message.Result.Facts found) {
            state.ready = true;
            // Another model may have been chosen meanwhile.
            if (found.model().equals(state.form.model())) {
                take(found);
            }
        } else if (result instanceof Message.Result.Unknown) {
            state.modelsKnown = true;
            state.ready = true;
        } else if (result instanceof Message.Result.Prompts found) {
            state.promptHistory.load(found.earlier());
        } else if (result instanceof Message.Result.Tokens counted) {
            if (counted.negative()) {
                state.negativeTokens = counted.count();
            } else {
                state.promptTokens = counted.count();
            }
        } else if (result instanceof Message.Result.Measured measured) {
            state.device = measured.device();
            state.memory = measured.memory();
        } else if (result instanceof Message.Result.Preview preview) {
            state.jobs.preview(preview.job(), preview.picture(), preview.image());
        } else if (result instanceof Message.Result.Parameters last) {
            if (last.text() == null) {
                state.remark("there are no settings of a last picture");
            } else {
                actions.takeParameters(last.text());
            }
        } else if (result instanceof Message.Result.Failed failed) {
            state.error(failed.message());
        }
    }

    private void take(Message.Result.Facts found) {
        ModelFacts facts = found.facts();
        state.form.defaults(facts.defaults().toBuilder().prompt("").negativePrompt("").build());
        if (state.negative.version() == 0 && !facts.defaults().negativePrompt().isEmpty()) {
            state.negative.insert(facts.defaults().negativePrompt());
        }
        state.prompt.names(facts.vocabulary());
        state.drawableThings = facts.things();
        if (found.request() != null) {
            state.form.take(found.request().toBuilder().model(found.model().path()).build());
        }
        if (state.prompt.version() > 0) {
            return; // somebody was faster
        }
        if (found.request() != null && !found.request().prompt().isEmpty()) {
            state.prompt.insert(found.request().prompt());
        } else {
            state.prompt.suggest(facts.defaults().prompt());
        }
    }
}
