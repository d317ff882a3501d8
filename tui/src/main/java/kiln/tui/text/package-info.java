/** What text takes on a screen: clusters, cells, lines. */
package kiln.tui.text;
