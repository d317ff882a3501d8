/** What is asked for and what is told about it: requests, events and A1111's parameters text, as plain data. */
package kiln.runtime.job;
