/** Options that several commands share, and what they mean for the runtime. */
package kiln.tui.cli.options;
