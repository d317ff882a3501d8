/**
 * A network as data: a list of nodes in the order of their execution, built once for a model and a shape.
 *
 * <p>Everything else reads that list: passes rewrite it, the planner gives each result a place, executors run it.
 * A model is added without touching an executor, and an executor without touching a model.
 */
package kiln.runtime.graph;
