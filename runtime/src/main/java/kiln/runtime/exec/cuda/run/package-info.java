/** Programs with real addresses, and how they are launched. */
package kiln.runtime.exec.cuda.run;
