/**
 * What networks will need before they run: a place for each result, bytes and FLOPs in total, and which weights stay on a device of limited
 * memory while the others take turns or are streamed.
 */
package kiln.runtime.plan;
