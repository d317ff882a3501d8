/** What every command stands on: the process's streams and environment, how failures are told, and forms of text that several commands use. */
package kiln.tui.cli.base;
