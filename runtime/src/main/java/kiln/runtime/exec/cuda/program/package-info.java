/**
 * Writes a graph as commands whose addresses are still symbols: {@link kiln.runtime.exec.cuda.program.Lowering} asks the kernels for the
 * variants that a card is best served with. Needs no card.
 */
package kiln.runtime.exec.cuda.program;
