/** Matrix products and convolutions: tiles, what is done on the way in and out, and the choice of a kernel for a card. */
package kiln.kernels.op.product;
