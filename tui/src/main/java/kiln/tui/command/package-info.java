/** The command table: what can be done, by which keys, and when. */
package kiln.tui.command;
