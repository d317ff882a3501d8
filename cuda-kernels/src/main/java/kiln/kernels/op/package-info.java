/**
 * What the kernels share. They stand in rooms: {@code element} and {@code norm} build on this, {@code product} and {@code attention} on
 * these. Each is a record whose data choose its text, with its specification, the call that launches it and a {@code reference} in plain
 * Java that computes the same on float arrays.
 *
 * <p>Tensors are {@code [batch, height, width, channels]}, channels adjacent; "position" is one (batch, y, x). Addresses are bytes on the
 * device, aligned to 16 for a tensor's beginning; strides and counts are elements and below 2^31.
 */
package kiln.kernels.op;
