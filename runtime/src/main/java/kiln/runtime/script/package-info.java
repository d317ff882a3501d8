/** Scripts as data: from a request and a few words to many requests, and how their pictures stand in one grid. */
package kiln.runtime.script;
