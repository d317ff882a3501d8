/** The words that all other packages share: how to compute, how to fail, what a card has. Depends on no other package. */
package kiln.runtime.base;
