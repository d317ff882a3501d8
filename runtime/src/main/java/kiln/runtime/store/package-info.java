/** Pictures and latents on disk: names, folders, files that are wholly there or not at all. */
package kiln.runtime.store;
