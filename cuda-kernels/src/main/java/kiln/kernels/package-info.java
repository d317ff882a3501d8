/** The PTX kernels and the one seam to JCuda. */
package kiln.kernels;
