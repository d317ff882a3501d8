/** Times kernels and products on a card, outside any picture. */
package kiln.runtime.exec.cuda.measure;
