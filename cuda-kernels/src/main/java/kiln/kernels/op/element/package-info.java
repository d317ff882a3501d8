/** Kernels that look at one element, or one row of a table, at a time. */
package kiln.kernels.op.element;
