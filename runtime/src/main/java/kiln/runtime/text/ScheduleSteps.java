package kiln.runtime.text;

/**
 * What the numbers in {@code [from:to:when]} are counted in: the denoiser's calls, which are twice the steps for samplers of second order.
 *
 * <p>A {@code when} with a point is a fraction of the pass, one without a number of calls. The second pass of a hires fix counts on: its
 * fractions go from 1 to 2, its numbers begin behind the first pass.
 *
 * @param calls of this pass, from 1
 * @param callsBefore of the pass before it; 0 for the first
 * @param fractionBefore where this pass's fractions begin: 0 or 1
 * @param old the rule of A1111 before 1.6 ("Old prompt editing timelines"): what is below 1 is a fraction, and no pass counts on
 */
public record ScheduleSteps(int calls, int callsBefore, double fractionBefore, boolean old) {
    public ScheduleSteps {
        if (calls < 1 || callsBefore < 0) {
            throw new IllegalArgumentException(calls + " calls after " + callsBefore);
        }
    }

    /** The first or only pass. */
    public static ScheduleSteps first(int calls) {
        return new ScheduleSteps(calls, 0, 0, false);
    }

    /** The second pass of a hires fix. */
    public static ScheduleSteps second(int firstCalls, int calls) {
        return new ScheduleSteps(calls, firstCalls, 1, false);
    }

    /**
     * By the rule before 1.6, which knew nothing of passes: a second pass has the first one's calls and its entries, of which it uses
     * those that its own calls reach.
     *
     * @param calls of the first pass, whichever pass it is for
     */
    public static ScheduleSteps before16(int calls) {
        return new ScheduleSteps(calls, 0, 0, true);
    }

    /** The last call, counted from 1, that still sees what stands before the change; below 1 it never does. */
    int until(String when) {
        double value = Double.parseDouble(when);
        double call;
        if (old) {
            call = value < 1 ? value * calls : value;
        } else if (when.indexOf('.') >= 0) {
            call = (value - fractionBefore) * calls;
        } else {
            call = value - callsBefore;
        }
        return Math.min(calls, (int) call);
    }
}
