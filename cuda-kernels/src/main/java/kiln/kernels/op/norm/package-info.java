/** Layer norm, softmax and group normalisation's launches. */
package kiln.kernels.op.norm;
