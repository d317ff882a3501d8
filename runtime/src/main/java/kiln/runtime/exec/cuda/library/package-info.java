/** NVIDIA's libraries on a card: which products go through them, by what was asked for and what was measured. */
package kiln.runtime.exec.cuda.library;
