/** From the terminal's bytes to keys and pastes. */
package kiln.tui.input;
