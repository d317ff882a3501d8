/** From a prompt to a picture; see ARCHITECTURE.md. */
package kiln.runtime;
