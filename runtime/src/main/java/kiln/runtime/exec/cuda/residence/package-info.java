/** Weights and results in memory: from file to card, what stays there, and what goes through pinned memory of the host. */
package kiln.runtime.exec.cuda.residence;
