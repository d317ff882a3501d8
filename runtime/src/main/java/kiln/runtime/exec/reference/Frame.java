package kiln.runtime.exec.reference;

import kiln.runtime.graph.Graph;
import kiln.runtime.graph.Node;
import kiln.runtime.graph.Shape;

/** One run of a graph: the results that are still needed, {@code null} for the others. */
record Frame(Graph graph, PreparedWeights weights, float[][] results) {
    float[] input(Node node, int place) {
        return results[node.inputs().get(place)];
    }

    Shape inputShape(Node node, int place) {
        return graph.shapeOf(node.inputs().get(place));
    }

    static float[] room(Shape shape) {
        return new float[Math.toIntExact(shape.elements())];
    }
}
