package kiln.runtime.exec.onednn;

import kiln.runtime.graph.Node;
import kiln.runtime.graph.Op;
import kiln.runtime.graph.Shape;
import org.bytedeco.dnnl.dnnl_memory;
import org.bytedeco.dnnl.dnnl_memory_desc;
import org.bytedeco.dnnl.dnnl_primitive_desc;
import org.bytedeco.dnnl.global.dnnl;

/**
 * Attention in slices whose scores stay in the cache: q·kᵀ in 32 bits, softmax, times v. A slice is some queries of one head where the
 * sequence is long, several heads where it is short.
 *
 * <p>Heads are read in place from packed q, k and v; keys and values are packed once a head into the layout that the products want.
 */
final class AttentionNode {
    /** A slice's scores, in bytes: about the second-level caches of two cores. */
    private static final long SCORE_BYTES = 2 << 20;

    private final Compilation c;
    private final Op.Attention op;
    private final Shape queries;
    private final Shape keys;
    private final int outChannels;
    private final NumberFormat format;
    private final int slicedHeads;
    private final int slicedRows;

    private AttentionNode(Compilation c, int index, Op.Attention op) {
        this.c = c;
        this.op = op;
        Node node = c.graph.node(index);
        queries = c.shape(node.inputs().get(0));
        keys = c.shape(node.inputs().get(1));
        outChannels = op.channels();
        format = c.format;
        slicedHeads = sliceHeads(op.heads(), queries.positions(), keys.positions());
        slicedRows = sliceRows(queries.positions(), keys.positions());
    }

    static void compile(Compilation c, int index, Op.Attention op) {
        Node node = c.graph.node(index);
        AttentionNode attention = new AttentionNode(c, index, op);
        attention.plan(index, node.inputs().get(0), node.inputs().get(1), node.inputs().get(2));
        ElementNodes.postOps(c, index, 0);
    }

    /** The three steps for slices of one length. */
    private final class SliceSteps {
        final int rows;
        final dnnl_memory q;
        final dnnl_memory mask;
        final dnnl_memory result;
        final Primitive scores;
        final Primitive softmax;
        final Primitive product;

        /** Memory objects of packed keys and values are shared by slices of every length. */
        SliceSteps(int rows, int qChannels, Packed packed, long scoresAt, long weightsAt) {
            this.rows = rows;
            int kv = keys.positions();
            int size = op.headSize();
            long[] rowDims = {slicedHeads, rows, size};
            dnnl_memory_desc qLayout = Descriptors.strided(c.handles, format, rowDims, new long[] {size, qChannels, 1});
            dnnl_memory_desc scoreLayout = Descriptors.tagged(c.handles, NumberFormat.F32, dnnl.dnnl_abc, slicedHeads, rows, kv);
            dnnl_memory_desc weightLayout = Descriptors.tagged(c.handles, format, dnnl.dnnl_abc, slicedHeads, rows, kv);
            dnnl_memory_desc outLayout = Descriptors.strided(c.handles, format, rowDims, new long[] {size, outChannels, 1});
            q = Regions.unplaced(c.handles, qLayout);
            result = Regions.unplaced(c.handles, outLayout);
            mask = op.causal() ? Regions.unplaced(c.handles, scoreLayout) : null;
            dnnl_memory scoreMemory = c.regions.work(c.handles, scoreLayout, scoresAt);
            dnnl_memory weightMemory = c.regions.work(c.handles, weightLayout, weightsAt);

            Attributes scaled = new Attributes(c.handles).scale((float) (1 / Math.sqrt(size)));
            if (op.causal()) {
                scaled.add(scoreLayout, mask);
            }
            dnnl_memory_desc anyKeys = packed.keyLayout != null
                    ? packed.keyLayout
                    : Descriptors.any(c.handles, format, slicedHeads, size, kv);
            scores = matmul("q·k", qLayout, anyKeys, scoreLayout, scaled);
            packed.keys(scores);
            scores.argument(dnnl.DNNL_ARG_SRC, q)
                    .argument(dnnl.DNNL_ARG_WEIGHTS, packed.keyMemory)
                    .argument(dnnl.DNNL_ARG_DST, scoreMemory);

            Attributes plain = new Attributes(c.handles);
            dnnl_primitive_desc description = new dnnl_primitive_desc();
            OneDnn.check(
                    dnnl.dnnl_softmax_forward_primitive_desc_create(
                            description,
                            OneDnn.engine(),
                            dnnl.dnnl_forward_inference,
                            dnnl.dnnl_softmax_accurate,
                            scoreLayout,
                            weightLayout,
                            2,
                            plain.finish()),
                    "planning softmax");
            softmax = c.primitive("softmax", description, plain)
                    .argument(dnnl.DNNL_ARG_SRC, scoreMemory)
                    .argument(dnnl.DNNL_ARG_DST, weightMemory);

            dnnl_memory_desc anyValues = packed.valueLayout != null
                    ? packed.valueLayout
                    : Descriptors.any(c.handles, format, slicedHeads, kv, size);
            product = matmul("weights·v", weightLayout, anyValues, outLayout, new Attributes(c.handles));
            packed.values(product);
            product.argument(dnnl.DNNL_ARG_SRC, weightMemory)
                    .argument(dnnl.DNNL_ARG_WEIGHTS, packed.valueMemory)
                    .argument(dnnl.DNNL_ARG_DST, result);
        }

        private Primitive matmul(
                String name, dnnl_memory_desc a, dnnl_memory_desc b, dnnl_memory_desc target, Attributes attributes) {
            dnnl_primitive_desc description = new dnnl_primitive_desc();
            OneDnn.check(
                    dnnl.dnnl_matmul_primitive_desc_create(
                            description, OneDnn.engine(), a, b, null, target, attributes.finish()),
                    "planning " + name);
            return c.primitive(name, description, attributes);
        }
    }

    /** A slice's keys and values in the products' own layouts. */
    private final class Packed {
        final dnnl_memory_desc storedKeys;
        final dnnl_memory_desc storedValues;
        dnnl_memory_desc keyLayout;
        dnnl_memory_desc valueLayout;
        dnnl_memory keyMemory;
        dnnl_memory valueMemory;
        final dnnl_memory keySource;
        final dnnl_memory valueSource;
        Primitive packKeys;
        Primitive packValues;

        Packed(int kChannels, int vChannels) {
            long kv = keys.positions();
            long size = op.headSize();
            storedKeys = Descriptors.strided(c.handles, format, new long[] {slicedHeads, size, kv}, new long[] {size, 1, kChannels});
            storedValues = Descriptors.strided(c.handles, format, new long[] {slicedHeads, kv, size}, new long[] {size, vChannels, 1});
            keySource = Regions.unplaced(c.handles, storedKeys);
            valueSource = Regions.unplaced(c.handles, storedValues);
        }

        void keys(Primitive scores) {
            if (keyLayout == null) {
                keyLayout = scores.layout(dnnl.dnnl_query_weights_md);
                keyMemory = c.work(keyLayout);
                packKeys = c.planReorder("packing of keys", storedKeys, keySource, keyLayout, keyMemory);
            }
        }

        void values(Primitive product) {
            if (valueLayout == null) {
                valueLayout = product.layout(dnnl.dnnl_query_weights_md);
                valueMemory = c.work(valueLayout);
                packValues = c.planReorder("packing of values", storedValues, valueSource, valueLayout, valueMemory);
            }
        }
    }

    private void plan(int index, int qNode, int kNode, int vNode) {
        int n = queries.positions();
        int kv = keys.positions();
        int qChannels = queries.channels();
        int kChannels = c.shape(kNode).channels();
        int vChannels = c.shape(vNode).channels();
        int rows = slicedRows;
        long scoresAt = c.reserve((long) slicedHeads * rows * kv * Float.BYTES);
        long weightsAt = c.reserve((long) slicedHeads * rows * kv * format.bytes());
        // Several heads are taken together only when all queries are: then each has a mask of its own.
        long maskAt = op.causal() ? c.reserve((long) slicedHeads * n * kv * Float.BYTES) : 0;
        Packed packed = new Packed(kChannels, vChannels);
        SliceSteps whole = new SliceSteps(rows, qChannels, packed, scoresAt, weightsAt);
        SliceSteps rest = n % rows == 0 ? null : new SliceSteps(n % rows, qChannels, packed, scoresAt, weightsAt);
        long qAt = c.offset(qNode);
        long kAt = c.offset(kNode);
        long vAt = c.offset(vNode);
        long outAt = c.offset(index);
        Regions regions = c.regions;
        if (op.causal()) {
            c.step(() -> writeMask(maskAt, n, kv));
        }
        c.step(() -> {
            for (int b = 0; b < queries.batch(); b++) {
                for (int h = 0; h < op.heads(); h += slicedHeads) {
                    int head = h * op.headSize();
                    regions.setArenaAddress(packed.keySource, at(kAt, (long) b * kv * kChannels + op.kOffset() + head));
                    regions.setArenaAddress(packed.valueSource, at(vAt, (long) b * kv * vChannels + op.vOffset() + head));
                    packed.packKeys.run();
                    packed.packValues.run();
                    for (int row = 0; row < n; row += rows) {
                        regions.listen();
                        SliceSteps slice = n - row >= rows ? whole : rest;
                        long place = (long) b * n + row;
                        regions.setArenaAddress(slice.q, at(qAt, place * qChannels + op.qOffset() + head));
                        regions.setArenaAddress(slice.result, at(outAt, place * outChannels + head));
                        if (op.causal()) {
                            regions.setWorkAddress(slice.mask, maskAt + (long) row * kv * Float.BYTES);
                        }
                        slice.scores.run();
                        slice.softmax.run();
                        slice.product.run();
                    }
                }
            }
        });
    }

    private long at(long base, long element) {
        return base + element * format.bytes();
    }

    private void writeMask(long offset, int n, int kv) {
        var mask = c.regions.workBuffer(offset, (long) slicedHeads * n * kv * Float.BYTES).asFloatBuffer();
        for (int i = 0; i < slicedHeads * n; i++) {
            for (int j = 0; j < kv; j++) {
                mask.put(j <= i % n ? 0 : Float.NEGATIVE_INFINITY);
            }
        }
    }

    /** How many heads are taken at once: a divisor of their number. */
    private static int sliceHeads(int heads, int n, int kv) {
        int most = (int) Math.max(1, Math.min(heads, SCORE_BYTES / ((long) n * kv * Float.BYTES)));
        while (heads % most != 0) {
            most--;
        }
        return most;
    }

    /** As many queries as keep the scores within bounds, in slices of equal length where that works out. */
    private static int sliceRows(int n, int kv) {
        long most = Math.max(16, SCORE_BYTES / ((long) kv * Float.BYTES));
        if (n <= most) {
            return n;
        }
        int slices = (int) ((n + most - 1) / most);
        return ((n + slices - 1) / slices + 15) / 16 * 16;
    }
}
