package kiln.runtime.sampling;

import java.util.Objects;

/** A sampler with the schedule asked for, {@link Schedule#AUTOMATIC} included. */
public record SamplerChoice(Sampler sampler, Schedule schedule) {
    public SamplerChoice {
        Objects.requireNonNull(sampler, "sampler");
        Objects.requireNonNull(schedule, "schedule");
    }

    /**
     * Reads both names. A schedule inside the sampler's name, as older versions of A1111 wrote it ("DPM++ 2M Karras"), counts
     * before {@code scheduleName}, and is "Automatic" when it is the sampler's default.
     *
     * @throws kiln.runtime.base.KilnException {@code BAD_REQUEST} for unknown names; the message names the nearest
     */
    public static SamplerChoice find(String samplerName, String scheduleName) {
        Sampler whole = Sampler.lookUp(samplerName);
        if (whole != null) {
            return new SamplerChoice(whole, Schedule.find(scheduleName));
        }
        String folded = Names.fold(samplerName);
        for (Schedule schedule : Schedule.values()) {
            for (String name : schedule.allNames()) {
                String suffix = " " + Names.fold(name);
                if (folded.endsWith(suffix)) {
                    Sampler sampler = Sampler.lookUp(folded.substring(0, folded.length() - suffix.length()));
                    if (sampler != null) {
                        return new SamplerChoice(sampler, schedule == sampler.defaultSchedule() ? Schedule.AUTOMATIC : schedule);
                    }
                }
            }
        }
        throw Sampler.unknown(samplerName);
    }

    /** The schedule that is really used. */
    public Schedule resolvedSchedule() {
        return schedule == Schedule.AUTOMATIC ? sampler.defaultSchedule() : schedule;
    }
}
