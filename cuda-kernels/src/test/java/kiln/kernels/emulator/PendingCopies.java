package kiln.kernels.emulator;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/** A warp's cp.async copies on their way; their bytes reach shared memory only at a wait, so that a missing one shows. */
final class PendingCopies {
    private record Copy(int lane, int group, int position, byte[] bytes) { }

    private final List<Copy> copies = new ArrayList<>();
    private final int[] openGroup = new int[32];

    void reset() {
        copies.clear();
        Arrays.fill(openGroup, 0);
    }

    void add(int lane, int position, byte[] bytes) {
        copies.add(new Copy(lane, openGroup[lane], position, bytes));
    }

    void commit(int mask) {
        for (int lane = 0; lane < 32; lane++) {
            openGroup[lane] += mask >>> lane & 1;
        }
    }

    /** Ends the lanes' copies but those of the newest {@code kept} committed groups; with {@code all}, those of no group too. */
    void await(Warp warp, int mask, int kept, boolean all) {
        SharedMemory shared = warp.block.shared;
        copies.removeIf(copy -> {
            boolean done = (mask >>> copy.lane & 1) != 0 && (all || copy.group < openGroup[copy.lane] - kept);
            if (done) {
                shared.copyEnds(warp, copy.lane, copy.position, copy.bytes);
            }
            return done;
        });
    }
}
