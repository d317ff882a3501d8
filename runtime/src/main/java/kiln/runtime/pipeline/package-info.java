/** The path from a request to a picture: conditioning, the denoise loop, decoding. */
package kiln.runtime.pipeline;
