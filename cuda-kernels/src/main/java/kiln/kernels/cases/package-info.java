/** The list of the kernels, small cases of each with their expected results: run by the tests, and written as folders that other programs can replay. */
package kiln.kernels.cases;
