/** The networks of the Stable Diffusion 1.x family as graphs; every size is read from the checkpoint's tensor shapes. */
package kiln.runtime.model;
