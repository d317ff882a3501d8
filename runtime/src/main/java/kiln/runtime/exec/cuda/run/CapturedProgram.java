package kiln.runtime.exec.cuda.run;

import java.util.ArrayList;
import java.util.List;
import kiln.kernels.CudaContext;

/**
 * A program's launches as CUDA graphs, a few for the whole of it: a card takes each in the time of a single launch, and between two of them
 * progress is told and a cancel is heard. The creator closes it before the context.
 */
public final class CapturedProgram implements AutoCloseable {
    /** @param flops of its steps */
    record Piece(CudaContext.Graph graph, double flops) {}

    private final CudaContext context;
    private final List<Piece> pieces = new ArrayList<>();

    CapturedProgram(CudaContext context) {
        this.context = context;
    }

    void add(Piece piece) {
        pieces.add(piece);
    }

    List<Piece> pieces() {
        return pieces;
    }

    @Override
    public void close() {
        pieces.forEach(piece -> context.destroy(piece.graph()));
        pieces.clear();
    }
}
