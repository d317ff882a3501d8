/** Checkpoints made of checkpoints. */
package kiln.runtime.merge;
