/** Native memory that is given back at once: files mapped in pieces and unmapped on close, on Java 17 and newer. */
package kiln.weights.map;
