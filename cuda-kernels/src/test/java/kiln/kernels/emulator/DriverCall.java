package kiln.kernels.emulator;

/** The kinds of calls that the emulated driver counts and can be told to fail. */
public enum DriverCall {
    OPEN,
    MEMORY_INFO,
    LOAD,
    UNLOAD,
    LAUNCH,
    CAPTURE,
    LAUNCH_GRAPH,
    ALLOCATE,
    FREE,
    ALLOCATE_PINNED,
    FREE_PINNED,
    COPY_TO_DEVICE,
    COPY_TO_HOST,
    COPY_ON_DEVICE,
    FILL,
    CREATE_STREAM,
    CREATE_EVENT,
    RECORD,
    WAIT,
    QUERY,
    /** Of a stream or an event: the host stands still. */
    SYNCHRONIZE
}
