package kiln.runtime.sampling;

import java.util.Objects;

/** A sampler with the schedule asked for, {@link Schedule#AUTOMATIC} included. */
public record SamplerChoice(Sampler sampler, Schedule schedule) {
    public SamplerChoice {
        Objects.requireNonNull(sampler, "sampler");
        Objects.requireNonNull(schedule, "schedule");
    }

    /**
     * Reads both names as people type them. A schedule inside the sampler's name, as older versions of A1111 wrote it ("DPM++ 2M
     * Karras"), counts before {@code scheduleName}, and is "Automatic" when A1111 names it as the sampler's default.
     *
     * @throws kiln.runtime.base.KilnException {@code BAD_REQUEST} for unknown names; the message names the nearest
     */
    public static SamplerChoice find(String samplerName, String scheduleName) {
        String folded = Names.fold(samplerName);
        Sampler whole = Sampler.lookUp(folded);
        if (whole != null) {
            return new SamplerChoice(whole, Schedule.find(scheduleName));
        }
        SamplerChoice split = null;
        int longest = 0;
        for (Schedule schedule : Schedule.values()) {
            for (String name : schedule.allNames()) {
                String suffix = Names.fold(name);
                if (suffix.length() > longest && folded.endsWith(suffix)) {
                    Sampler sampler = Sampler.lookUp(folded.substring(0, folded.length() - suffix.length()));
                    if (sampler != null) {
                        split = new SamplerChoice(sampler, schedule).withoutDefault();
                        longest = suffix.length();
                    }
                }
            }
        }
        if (split == null) {
            throw Sampler.unknown(samplerName);
        }
        return split;
    }

    /**
     * What A1111 takes a pair of names in a picture's parameters for: names must be spelt as it writes them, and for unknown ones its
     * first sampler and "Automatic" stand in.
     *
     * @param samplerName may be null or empty
     * @param scheduleName may be null
     * @param convertAutomatic whether a schedule that is the sampler's default becomes "Automatic"
     */
    public static SamplerChoice ofInfotext(String samplerName, String scheduleName, boolean convertAutomatic) {
        Schedule found = Schedule.AUTOMATIC;
        for (Schedule schedule : Schedule.values()) {
            if (schedule.label().equals(scheduleName) || schedule.id().equals(scheduleName)) {
                found = schedule;
            }
        }
        String name = samplerName == null ? "" : samplerName;
        for (Schedule schedule : Schedule.values()) {
            for (String ending : schedule.namesInOldPictures()) {
                if (name.endsWith(" " + ending)) {
                    found = schedule;
                    name = name.substring(0, name.length() - ending.length() - 1);
                    break;
                }
            }
        }
        Sampler sampler = Sampler.values()[0];
        for (Sampler known : Sampler.values()) {
            if (known.label().equals(name)) {
                sampler = known;
            }
        }
        SamplerChoice choice = new SamplerChoice(sampler, found);
        return convertAutomatic ? choice.withoutDefault() : choice;
    }

    private SamplerChoice withoutDefault() {
        boolean saysNothing = sampler.namesDefaultSchedule() && schedule == sampler.defaultSchedule();
        return saysNothing ? new SamplerChoice(sampler, Schedule.AUTOMATIC) : this;
    }

    /** The schedule that is really used. */
    public Schedule resolvedSchedule() {
        return schedule == Schedule.AUTOMATIC ? sampler.defaultSchedule() : schedule;
    }
}
