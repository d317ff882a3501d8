package kiln.runtime.exec.onednn;

import java.util.ArrayList;
import java.util.List;
import kiln.runtime.exec.WeightSource;
import kiln.runtime.graph.Graph;
import kiln.runtime.graph.Node;
import kiln.runtime.graph.PostOp;
import kiln.runtime.graph.Shape;
import kiln.runtime.plan.RowBands;
import org.bytedeco.dnnl.dnnl_memory;
import org.bytedeco.dnnl.dnnl_memory_desc;
import org.bytedeco.dnnl.dnnl_primitive_desc;
import org.bytedeco.dnnl.global.dnnl;

/**
 * What the compilers of single nodes share: the graph, where results lie, the parameters, and the steps written so far.
 *
 * <p>Memory objects are made without an address; {@link Regions} gives them one before a run.
 */
final class Compilation {
    final Graph graph;
    /** Of weights and of most results. */
    final NumberFormat format;
    private final Formats formats;
    final OneDnnWeights weights;
    final WeightSource source;
    final Handles handles;
    final Regions regions;
    final RowBands bands;
    private final List<Runnable> steps = new ArrayList<>();
    private long workTop;
    private long workBytes;

    Compilation(
            RowBands bands,
            NumberFormat format,
            Formats formats,
            OneDnnWeights weights,
            WeightSource source,
            Handles handles,
            Regions regions) {
        this.bands = bands;
        graph = bands.graph();
        this.format = format;
        this.formats = formats;
        this.weights = weights;
        this.source = source;
        this.handles = handles;
        this.regions = regions;
    }

    /** Begins a node: its work memory is free again. */
    void begin() {
        workTop = 0;
        steps.clear();
    }

    List<Runnable> takeSteps() {
        return List.copyOf(steps);
    }

    /** The most work memory that a node so far has needed. */
    long workBytes() {
        return workBytes;
    }

    void step(Runnable step) {
        steps.add(step);
    }

    Shape shape(int node) {
        return graph.shapeOf(node);
    }

    NumberFormat format(int node) {
        return formats.of(node);
    }

    long offset(int node) {
        return bands.offset(node);
    }

    dnnl_memory_desc image(int node) {
        return Descriptors.image(handles, shape(node), formats.of(node));
    }

    dnnl_memory_desc matrix(int node) {
        return Descriptors.matrix(handles, shape(node), formats.of(node));
    }

    /** A node's result, read in the given layout. */
    dnnl_memory result(int node, dnnl_memory_desc layout) {
        return regions.arena(handles, layout, offset(node));
    }

    /** Some rows of a node's result: of all pictures when they are all rows, else of the only one. */
    Rows rows(int node, int first, int count, boolean asImage) {
        Shape shape = shape(node);
        long at = offset(node) + (long) first * shape.width() * shape.channels() * format(node).bytes();
        dnnl_memory_desc layout = layout(node, count, asImage);
        return new Rows(layout, regions.arena(handles, layout, at));
    }

    /** Room for some rows of a node's result while another node runs. */
    Rows workRows(int node, int count, boolean asImage) {
        dnnl_memory_desc layout = layout(node, count, asImage);
        return new Rows(layout, work(layout));
    }

    /** Some rows of a node's result as a matrix, wherever they lie. */
    dnnl_memory_desc matrixRows(int node, int count) {
        return layout(node, count, false);
    }

    private dnnl_memory_desc layout(int node, int rows, boolean asImage) {
        Shape whole = shape(node);
        Shape shape = new Shape(whole.batch(), rows, whole.width(), whole.channels());
        return asImage ? Descriptors.image(handles, shape, format(node)) : Descriptors.matrix(handles, shape, format(node));
    }

    /** Space that a node uses while it runs. */
    dnnl_memory work(dnnl_memory_desc layout) {
        return regions.work(handles, layout, reserve(dnnl.dnnl_memory_desc_get_size(layout)));
    }

    /** Reserves work memory and gives its offset. */
    long reserve(long bytes) {
        long at = workTop;
        workTop += (bytes + 63) / 64 * 64;
        workBytes = Math.max(workBytes, workTop);
        return at;
    }

    /** What is reserved by now. */
    long reserved() {
        return workTop;
    }

    /** Lets go what was reserved since, for steps that come after those that use it. */
    void release(long reserved) {
        workTop = reserved;
    }

    /** Makes the primitive, gives it scratch memory and its post-ops' operands; the caller adds the main arguments. */
    Primitive primitive(String name, dnnl_primitive_desc description, Attributes attributes) {
        Primitive primitive = new Primitive(handles, name, description);
        if (primitive.scratchBytes() > 0) {
            primitive.argument(dnnl.DNNL_ARG_SCRATCHPAD, work(primitive.layout(dnnl.dnnl_query_scratchpad_md)));
        }
        attributes.bind(primitive);
        return primitive;
    }

    /** Copies between layouts. */
    void reorder(String name, dnnl_memory_desc from, dnnl_memory source, dnnl_memory_desc to, dnnl_memory target) {
        step(planReorder(name, from, source, to, target));
    }

    /** The same as a primitive that its user runs. */
    Primitive planReorder(String name, dnnl_memory_desc from, dnnl_memory source, dnnl_memory_desc to, dnnl_memory target) {
        Attributes attributes = new Attributes(handles);
        dnnl_primitive_desc description = new dnnl_primitive_desc();
        OneDnn.check(
                dnnl.dnnl_reorder_primitive_desc_create(
                        description, from, OneDnn.engine(), to, OneDnn.engine(), attributes.finish()),
                "planning the " + name);
        return primitive(name, description, attributes)
                .argument(dnnl.DNNL_ARG_FROM, source)
                .argument(dnnl.DNNL_ARG_TO, target);
    }

    /** Puts as many of a node's post-ops as the primitive can do for a band of rows into attributes; gives how many. */
    int appendPostOps(Attributes attributes, Node node, int firstRow, int rows, boolean asImage) {
        int done = 0;
        for (PostOp postOp : node.postOps()) {
            if (postOp.kind() == PostOp.Kind.ADD) {
                Rows added = rows(postOp.input(), firstRow, rows, asImage);
                attributes.add(added.layout(), added.memory());
            } else if (postOp.kind() == PostOp.Kind.ADD_PER_CHANNEL) {
                if (shape(postOp.input()).batch() != 1) {
                    // A different vector for each picture of the batch is not a broadcast that fast kernels have.
                    break;
                }
                dnnl_memory_desc layout = asImage ? image(postOp.input()) : matrix(postOp.input());
                attributes.add(layout, result(postOp.input(), layout));
            } else {
                attributes.function(postOp.kind());
            }
            done++;
        }
        return done;
    }
}
