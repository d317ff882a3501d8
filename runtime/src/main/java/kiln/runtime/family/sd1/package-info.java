/** Stable Diffusion 1.x as a family's data. */
package kiln.runtime.family.sd1;
