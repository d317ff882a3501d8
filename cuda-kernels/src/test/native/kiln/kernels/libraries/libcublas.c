/*
 * A stand-in for NVIDIA's libcublas.so.12: what JCublas calls when Kiln multiplies. EMULATED_CUBLAS_VERSION=110800 is an older one;
 * EMULATED_CUBLAS_FAIL="cublasCreate=1" has that call end in that status.
 */
#include "java.h"

enum { SUCCESS = 0, NOT_INITIALIZED = 1, INVALID_VALUE = 7, EXECUTION_FAILED = 13, NOT_SUPPORTED = 15 };
enum { OP_N = 0, OP_T = 1, COMPUTE_32F = 68, HALF = 2, FLOAT = 0 };

struct handle {
    int device;
    void *stream, *workspace;
};

struct product {
    int device, half, transpose_a, transpose_b, m, n, k, lda, ldb, ldc;
    jlong a, b, c;
};

#define CALL(name)                                      \
    {                                                   \
        int order = ordered("EMULATED_CUBLAS_FAIL", name); \
        if (order) {                                    \
            return order;                               \
        }                                               \
    }

EXPORT int cublasCreate_v2(struct handle **handle) {
    CALL("cublasCreate")
    int device = current_device();
    if (device < 0) {
        return NOT_INITIALIZED;
    }
    *handle = calloc(1, sizeof **handle);
    (*handle)->device = device;
    return SUCCESS;
}

EXPORT int cublasDestroy_v2(struct handle *handle) {
    free(handle);
    return SUCCESS;
}

EXPORT int cublasGetVersion_v2(struct handle *handle, int *version) {
    (void)handle;
    *version = number("EMULATED_CUBLAS_VERSION", 120604);
    return SUCCESS;
}

EXPORT int cublasGetPointerMode_v2(struct handle *handle, int *mode) {
    (void)handle;
    *mode = 0;
    return SUCCESS;
}

EXPORT int cublasSetStream_v2(struct handle *handle, void *stream) {
    CALL("cublasSetStream")
    handle->workspace = NULL;
    handle->stream = stream;
    return stream ? SUCCESS : INVALID_VALUE;
}

EXPORT int cublasSetWorkspace_v2(struct handle *handle, void *workspace, size_t bytes) {
    CALL("cublasSetWorkspace")
    handle->workspace = workspace;
    return workspace && bytes && (uintptr_t)workspace % 256 == 0 ? SUCCESS : INVALID_VALUE;
}

static int multiply(const void *parameters) {
    const struct product *p = parameters;
    return ask("gemm", "(IZZZIIIJIJIJI)I", p->device, p->half, p->transpose_a, p->transpose_b, p->m, p->n, p->k, p->a, p->lda, p->b, p->ldb, p->c,
               p->ldc);
}

EXPORT int cublasGemmEx(struct handle *handle, int op_a, int op_b, int m, int n, int k, const void *alpha, const void *a, int a_type, int lda,
                        const void *b, int b_type, int ldb, const void *beta, void *c, int c_type, int ldc, int compute, int algorithm) {
    CALL("cublasGemmEx")
    if (m < 0 || n < 0 || k < 0 || lda < (op_a == OP_N ? m : k) || ldb < (op_b == OP_N ? k : n) || ldc < m) {
        return INVALID_VALUE;
    }
    if (a_type != b_type || a_type != c_type || (a_type != HALF && a_type != FLOAT) || compute != COMPUTE_32F || algorithm != -1
        || *(const float *)alpha != 1 || *(const float *)beta != 0 || !handle->workspace) {
        return NOT_SUPPORTED;
    }
    struct product product = {handle->device, a_type == HALF, op_a == OP_T, op_b == OP_T, m, n, k, lda, ldb, ldc, (jlong)a, (jlong)b, (jlong)c};
    return queue(handle->stream, multiply, &product, sizeof product) ? EXECUTION_FAILED : SUCCESS;
}
