/** Is it right, and how fast: self-tests against plain Java and benches. Beside the engine; no picture needs it. */
package kiln.runtime.check;
