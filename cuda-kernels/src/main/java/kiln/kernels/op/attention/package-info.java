/** Attention, whole and in slices. */
package kiln.kernels.op.attention;
