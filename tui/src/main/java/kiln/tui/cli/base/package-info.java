/** What every command stands on: the process's streams and environment, how failures are told, forms of text that several use. */
package kiln.tui.cli.base;
