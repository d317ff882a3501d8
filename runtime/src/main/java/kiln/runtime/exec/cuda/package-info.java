/**
 * Runs graphs on an NVIDIA card: {@link kiln.runtime.exec.cuda.program.Lowering} writes a graph as kernel calls whose addresses are still
 * symbols, {@link kiln.runtime.exec.cuda.CudaExecutor} gives them places on the card and launches them.
 */
package kiln.runtime.exec.cuda;
