/** Small cases of every kernel with their expected results: run by the tests, and written as folders that other programs can replay. */
package kiln.kernels.cases;
