/** Python pickles read as inert values: a stack machine that builds data and never runs, imports or looks up anything. */
package kiln.weights.pickle;
