package kiln.tui.cli.reports;

import java.io.PrintStream;
import java.util.Locale;
import kiln.runtime.job.GenerationEvent;

/** A bar that redraws one line of a terminal, at most ten times a second. */
public final class ProgressLine {
    private static final long NANOS_BETWEEN = 100_000_000L;
    private static final int MOST_CELLS = 40;

    private final PrintStream terminal;
    private final int columns;
    private long drawn;
    private String shown = "";

    public ProgressLine(PrintStream terminal, int columns) {
        this.terminal = terminal;
        this.columns = columns;
    }

    public void show(GenerationEvent event) {
        long now = System.nanoTime();
        if (!shown.isEmpty() && now - drawn < NANOS_BETWEEN) {
            return;
        }
        String text = text(event, columns - 1);
        if (text != null && !text.equals(shown)) {
            drawn = now;
            terminal.print("\r" + text + " ".repeat(Math.max(0, shown.length() - text.length())));
            terminal.flush();
            shown = text;
        }
    }

    public void clear() {
        if (!shown.isEmpty()) {
            terminal.print("\r" + " ".repeat(shown.length()) + "\r");
            terminal.flush();
            shown = "";
        }
    }

    /** The line for an event in at most {@code width} columns; {@code null} for an event that it does not show. */
    static String text(GenerationEvent event, int width) {
        if (event instanceof GenerationEvent.Loading loading) {
            return line(loading.fraction(), loading.what(), width);
        }
        if (event instanceof GenerationEvent.Progress progress) {
            return line(progress.fraction(), words(progress), width);
        }
        return null;
    }

    private static String words(GenerationEvent.Progress progress) {
        StringBuilder words = new StringBuilder();
        switch (progress.phase()) {
            case ENCODING -> words.append("reading the prompt");
            case DENOISING -> words.append("step ").append(progress.step()).append('/').append(progress.steps());
            case DECODING -> words.append("decoding");
        }
        if (progress.pictures() > 1) {
            words.append(" of picture ").append(progress.picture() + 1).append('/').append(progress.pictures());
        }
        double rate = progress.stepsPerSecond();
        if (rate > 0) {
            words.append("  ").append(rate(rate));
        }
        if (progress.secondsLeft() >= 0) {
            words.append("  ").append(duration(progress.secondsLeft())).append(" left");
        }
        return words.toString();
    }

    /** "1.50 it/s", or "5.0 s/it" for slow steps. */
    static String rate(double stepsPerSecond) {
        return stepsPerSecond >= 1
                ? String.format(Locale.ROOT, "%.2f it/s", stepsPerSecond)
                : String.format(Locale.ROOT, "%.1f s/it", 1 / stepsPerSecond);
    }

    private static String line(double fraction, String words, int width) {
        double done = Math.max(0, Math.min(1, fraction));
        String tail = String.format(Locale.ROOT, " %3d%%  %s", (int) (100 * done), words);
        int cells = Math.min(MOST_CELLS, width - tail.length() - 2);
        if (cells >= 5) {
            int full = (int) Math.round(cells * done);
            tail = "[" + "#".repeat(full) + "-".repeat(cells - full) + "]" + tail;
        }
        return tail.length() <= width ? tail : tail.substring(0, Math.max(0, width));
    }

    static String duration(double seconds) {
        long whole = (long) Math.ceil(seconds);
        if (whole < 3600) {
            return String.format(Locale.ROOT, "%d:%02d", whole / 60, whole % 60);
        }
        return String.format(Locale.ROOT, "%d:%02d:%02d", whole / 3600, whole / 60 % 60, whole % 60);
    }
}
