/** One class for each command, and the list of them. */
package kiln.tui.cli.commands;
