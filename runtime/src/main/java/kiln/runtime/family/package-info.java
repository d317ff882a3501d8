/** The families of models, and files that hold one. */
package kiln.runtime.family;
