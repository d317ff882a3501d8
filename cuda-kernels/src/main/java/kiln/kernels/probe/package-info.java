/**
 * Probes of the PTX instructions that the kernels compute with: a kernel for each instruction ({@link kiln.kernels.probe.Probes}), run over operands
 * at which arithmetic goes wrong, if it does, and compared with plain Java. What a card gave is kept as {@link kiln.kernels.probe.Vectors}, so that
 * the tests' emulator can be held to it where no card is.
 */
package kiln.kernels.probe;
