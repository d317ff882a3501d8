/** What a graph will need before it runs: a place for each result, bytes and FLOPs in total. */
package kiln.runtime.plan;
