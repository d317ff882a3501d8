/** What commands found out or do, told to people and as JSON to programs. */
package kiln.tui.cli.reports;
