/**
 * The CPU executor on oneDNN: every node becomes one or a few primitives over one arena, channels last, in bf16 where the CPU has
 * instructions for it.
 */
package kiln.runtime.exec.onednn;
