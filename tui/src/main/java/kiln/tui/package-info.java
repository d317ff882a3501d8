/** Everything a person meets: command line, terminal, views. */
package kiln.tui;
