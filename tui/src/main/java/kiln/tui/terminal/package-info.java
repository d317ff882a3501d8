/** Lanterna's place: it owns the terminal's modes and the cell buffer; nothing outside this package imports it. */
package kiln.tui.terminal;
