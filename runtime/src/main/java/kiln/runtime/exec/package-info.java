/** Runs graphs: the reference in plain Java (the oracle), oneDNN on the CPU. */
package kiln.runtime.exec;
