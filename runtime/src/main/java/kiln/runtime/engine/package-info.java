/** From options to a device that computes and a worker that draws one request after another. */
package kiln.runtime.engine;
