/** Pictures in cells. */
package kiln.tui.picture;
