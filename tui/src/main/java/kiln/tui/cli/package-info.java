/** The command line: finds the command among the arguments, has picocli parse its options, runs it, and tells what went wrong. */
package kiln.tui.cli;
