/** Cells, colours, and the bytes that draw them. */
package kiln.tui.output;
