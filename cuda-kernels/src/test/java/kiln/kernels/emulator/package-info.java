/**
 * An emulator of PTX text, so that kernels are tested with no card. {@link kiln.kernels.emulator.PtxModule} parses and decodes the text once:
 * {@code PtxLexer} and {@code PtxParser} make statements, {@code InstructionDecoder} and the {@code …Instructions} classes turn each into an operation on
 * register numbers. {@link kiln.kernels.emulator.PtxEmulator} runs a grid: a {@code ThreadBlock} at a time, its {@code Warp}s in turn, every
 * instruction over the 32 lanes that a mask leaves on. Memory is {@link kiln.kernels.emulator.DeviceMemory} and {@code SharedMemory}, which know what was
 * written and by whom; what a kernel does wrong there is a {@link kiln.kernels.emulator.KernelFault}.
 *
 * <p>A new instruction: decode it in the class of its family, name it in {@code InstructionDecoder}, test it with {@code Snippet}.
 *
 * <p>Not there: {@code .func} and {@code call}, textures, carries ({@code add.cc}), {@code wgmma} and bulk copies, clusters. Each is refused by its line.
 */
package kiln.kernels.emulator;
