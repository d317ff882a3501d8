/** What a model is, as data: its networks as graphs, whose sizes are read from tensor shapes, its latents, noise levels and defaults. */
package kiln.runtime.model;
