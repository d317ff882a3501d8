/**
 * Samplers and schedules as k-diffusion and A1111 define them, on plain arrays on the host: {@link SamplingPlan} is the way in.
 *
 * <p>Latents are {@code [batch, channels, h, w]} flat. A sampler is a function of its family's class, a row of {@link Sampler} and,
 * where it is new to A1111's users, cases in the vectors.
 */
package kiln.runtime.sampling;
