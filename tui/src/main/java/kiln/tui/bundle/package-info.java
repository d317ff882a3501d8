/** The portable bundle: one archive with Kiln and its own Java, for machines that have neither. */
package kiln.tui.bundle;
