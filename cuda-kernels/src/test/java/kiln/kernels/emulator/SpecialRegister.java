package kiln.kernels.emulator;

/** Special registers whose value is fixed for a thread from its start. */
enum SpecialRegister {
    TID_X("%tid.x"), TID_Y("%tid.y"), TID_Z("%tid.z"),
    NTID_X("%ntid.x"), NTID_Y("%ntid.y"), NTID_Z("%ntid.z"),
    CTAID_X("%ctaid.x"), CTAID_Y("%ctaid.y"), CTAID_Z("%ctaid.z"),
    NCTAID_X("%nctaid.x"), NCTAID_Y("%nctaid.y"), NCTAID_Z("%nctaid.z"),
    LANEID("%laneid"), WARPID("%warpid"), NWARPID("%nwarpid"), SMID("%smid"), NSMID("%nsmid"),
    LANEMASK_EQ("%lanemask_eq"), LANEMASK_LT("%lanemask_lt"), LANEMASK_LE("%lanemask_le"),
    LANEMASK_GT("%lanemask_gt"), LANEMASK_GE("%lanemask_ge"),
    DYNAMIC_SMEM_SIZE("%dynamic_smem_size"), TOTAL_SMEM_SIZE("%total_smem_size");

    final String text;

    SpecialRegister(String text) {
        this.text = text;
    }

    static SpecialRegister of(String text) {
        for (SpecialRegister register : values()) {
            if (register.text.equals(text)) {
                return register;
            }
        }
        return null;
    }

    int value(Warp warp, int lane) {
        ThreadBlock block = warp.block;
        Dim3 threads = block.launch.block;
        Dim3 grid = block.launch.grid;
        Dim3 thread = warp.thread(lane);
        return switch (this) {
            case TID_X -> thread.x();
            case TID_Y -> thread.y();
            case TID_Z -> thread.z();
            case NTID_X -> threads.x();
            case NTID_Y -> threads.y();
            case NTID_Z -> threads.z();
            case CTAID_X -> block.position.x();
            case CTAID_Y -> block.position.y();
            case CTAID_Z -> block.position.z();
            case NCTAID_X -> grid.x();
            case NCTAID_Y -> grid.y();
            case NCTAID_Z -> grid.z();
            case LANEID -> lane;
            case WARPID -> warp.number;
            case NWARPID -> block.warps.length;
            case SMID -> 0;
            case NSMID -> 1;
            case LANEMASK_EQ -> 1 << lane;
            case LANEMASK_LT -> (1 << lane) - 1;
            case LANEMASK_LE -> (2 << lane) - 1;
            case LANEMASK_GT -> -(2 << lane);
            case LANEMASK_GE -> -(1 << lane);
            case DYNAMIC_SMEM_SIZE -> block.launch.dynamicSharedBytes;
            case TOTAL_SMEM_SIZE -> block.launch.dynamicSharedBytes + block.launch.kernel.staticSharedBytes;
        };
    }
}
