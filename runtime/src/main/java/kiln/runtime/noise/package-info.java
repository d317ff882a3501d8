/** Random numbers equal to those of the programs whose seeds people share: torch's CPU generator and CUDA's Philox. */
package kiln.runtime.noise;
