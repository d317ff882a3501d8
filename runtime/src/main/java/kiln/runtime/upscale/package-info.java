/** Pictures made larger by networks: their files, their graphs, their tiles. */
package kiln.runtime.upscale;
