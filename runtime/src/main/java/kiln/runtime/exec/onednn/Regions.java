package kiln.runtime.exec.onednn;

import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import org.bytedeco.dnnl.dnnl_memory;
import org.bytedeco.dnnl.dnnl_memory_desc;
import org.bytedeco.dnnl.global.dnnl;

/**
 * Memory objects of one compiled graph over the executor's two shared blocks: the arena of results and the work memory of the node that
 * runs. Addresses are set when a block has moved since the last run.
 */
final class Regions {
    private record Place(dnnl_memory memory, long offset) {}

    private final List<Place> inArena = new ArrayList<>();
    private final List<Place> inWork = new ArrayList<>();
    private AlignedMemory arena;
    private AlignedMemory work;
    private long boundArena;
    private long boundWork;
    private Runnable listener = () -> {};

    dnnl_memory arena(Handles handles, dnnl_memory_desc layout, long offset) {
        return place(inArena, handles, layout, offset);
    }

    dnnl_memory work(Handles handles, dnnl_memory_desc layout, long offset) {
        return place(inWork, handles, layout, offset);
    }

    private static dnnl_memory place(List<Place> places, Handles handles, dnnl_memory_desc layout, long offset) {
        dnnl_memory memory = unplaced(handles, layout);
        places.add(new Place(memory, offset));
        return memory;
    }

    /** A memory object whose address its user sets before each run. */
    static dnnl_memory unplaced(Handles handles, dnnl_memory_desc layout) {
        dnnl_memory memory = new dnnl_memory();
        OneDnn.check(dnnl.dnnl_memory_create(memory, layout, OneDnn.engine(), null), "creating a memory object");
        return handles.own(memory);
    }

    void bind(AlignedMemory newArena, AlignedMemory newWork) {
        arena = newArena;
        work = newWork;
        if (newArena.address() != boundArena) {
            boundArena = bind(inArena, newArena);
        }
        if (newWork.address() != boundWork) {
            boundWork = bind(inWork, newWork);
        }
    }

    private static long bind(List<Place> places, AlignedMemory block) {
        for (Place place : places) {
            setAddress(place.memory, block, place.offset);
        }
        return block.address();
    }

    static void setAddress(dnnl_memory memory, AlignedMemory block, long offset) {
        OneDnn.check(dnnl.dnnl_memory_set_data_handle(memory, block.at(offset)), "placing memory");
    }

    /** What a node that takes long calls now and then, so that a wish to stop is heard inside it. */
    void listener(Runnable newListener) {
        listener = newListener;
    }

    void listen() {
        listener.run();
    }

    void setArenaAddress(dnnl_memory memory, long offset) {
        setAddress(memory, arena, offset);
    }

    ByteBuffer arenaBuffer(long offset, long bytes) {
        return arena.buffer(offset, bytes);
    }

    ByteBuffer workBuffer(long offset, long bytes) {
        return work.buffer(offset, bytes);
    }

    void setWorkAddress(dnnl_memory memory, long offset) {
        setAddress(memory, work, offset);
    }
}
