package kiln.kernels.emulator;

/**
 * A declared variable or kernel parameter.
 *
 * @param offset   within its space (parameter block, shared memory, a thread's local memory); for global and const, its number in the module
 * @param contents initial bytes, or null
 */
record Variable(String name, Space space, int offset, int bytes, int alignment, boolean dynamic, byte[] contents) {
    enum Space { PARAM, SHARED, LOCAL, GLOBAL, CONST, GENERIC }
}
