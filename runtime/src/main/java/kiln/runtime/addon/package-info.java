/** What people add to a model: LoRA and its relatives, textual inversions; what their files hold and what they make of a model's weights. */
package kiln.runtime.addon;
