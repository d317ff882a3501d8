/** The oracle: every op in plain Java, written for reading; 32-bit results, sums in short lanes or 64 bits. */
package kiln.runtime.exec.reference;
