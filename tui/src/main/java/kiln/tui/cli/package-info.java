/** The command line: one class for each command, their shared options, and how failures become exit codes. */
package kiln.tui.cli;
