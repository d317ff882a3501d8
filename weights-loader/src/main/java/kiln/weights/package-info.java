/** Weights files as named tensors in host memory: safetensors, torch zip, legacy pickle. Knows no device and no user interface. */
package kiln.weights;
