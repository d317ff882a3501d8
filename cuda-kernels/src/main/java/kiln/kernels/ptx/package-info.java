/**
 * Writes PTX text: {@link kiln.kernels.ptx.PtxModule} holds functions, {@link kiln.kernels.ptx.PtxFunction} takes one instruction per
 * call and hands out virtual registers, {@link kiln.kernels.ptx.PtxOp} is the table from operation to mnemonic.
 */
package kiln.kernels.ptx;
