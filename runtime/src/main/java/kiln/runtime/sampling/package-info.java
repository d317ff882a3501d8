/**
 * Samplers and schedules as k-diffusion and A1111 define them, on plain arrays on the host.
 *
 * <p>Latents are {@code [batch, 4, h, w]} flat. Scalars that torch keeps in float32 are float here too, so the trajectories
 * agree to rounding.
 */
package kiln.runtime.sampling;
