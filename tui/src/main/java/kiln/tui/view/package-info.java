/** The screen: its state, what events do to it, and how it is drawn. */
package kiln.tui.view;
