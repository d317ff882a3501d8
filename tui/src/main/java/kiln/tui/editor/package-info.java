/** The prompt editor, without a screen. */
package kiln.tui.editor;
