/*
 * A stand-in for NVIDIA's libcudnn.so.8: what JCudnn calls when Kiln convolves. EMULATED_CUDNN_VERSION=7605 is an older one;
 * EMULATED_CUDNN_FAIL="cudnnCreate=1" has that call end in that status.
 */
#include "java.h"

enum { SUCCESS = 0, NOT_INITIALIZED = 1, BAD_PARAM = 3, EXECUTION_FAILED = 8, NOT_SUPPORTED = 9 };
enum { NHWC = 1, FLOAT = 0, HALF = 2, CROSS_CORRELATION = 1, IMPLICIT_PRECOMP_GEMM = 1, TENSOR_OP_MATH = 1, FMA_MATH = 3 };
enum { WORK_BYTES = 512 };

struct handle {
    int device;
    void *stream;
};

/* Of a tensor batch, channels, height, width; of a filter out, in, height, width. */
struct sizes {
    int type, count, channels, height, width;
};

struct windows {
    int padding_y, padding_x, stride_y, stride_x, math;
};

enum { SIZES = 13 };

struct convolution {
    int device, half;
    jint sizes[SIZES]; /* as StandInLibraries takes them */
    jlong in, weights, out, work;
};

#define CALL(name)                                     \
    {                                                  \
        int order = ordered("EMULATED_CUDNN_FAIL", name); \
        if (order) {                                   \
            return order;                              \
        }                                              \
    }

EXPORT size_t cudnnGetVersion(void) {
    return number("EMULATED_CUDNN_VERSION", 8907);
}

EXPORT int cudnnCreate(struct handle **handle) {
    CALL("cudnnCreate")
    int device = current_device();
    if (device < 0) {
        return NOT_INITIALIZED;
    }
    *handle = calloc(1, sizeof **handle);
    (*handle)->device = device;
    return SUCCESS;
}

EXPORT int cudnnDestroy(struct handle *handle) {
    free(handle);
    return SUCCESS;
}

EXPORT int cudnnSetStream(struct handle *handle, void *stream) {
    handle->stream = stream;
    return stream ? SUCCESS : BAD_PARAM;
}

#define DESCRIPTOR(name, type)                          \
    EXPORT int cudnnCreate##name(struct type **made) {  \
        *made = calloc(1, sizeof **made);               \
        return SUCCESS;                                 \
    }                                                   \
    EXPORT int cudnnDestroy##name(struct type *gone) {  \
        free(gone);                                     \
        return SUCCESS;                                 \
    }

DESCRIPTOR(TensorDescriptor, sizes)
DESCRIPTOR(FilterDescriptor, sizes)
DESCRIPTOR(ConvolutionDescriptor, windows)

static int set(struct sizes *sizes, int format, int type, int count, int channels, int height, int width) {
    if (format != NHWC || (type != FLOAT && type != HALF)) {
        return NOT_SUPPORTED;
    }
    if (count < 1 || channels < 1 || height < 1 || width < 1) {
        return BAD_PARAM;
    }
    *sizes = (struct sizes){type, count, channels, height, width};
    return SUCCESS;
}

EXPORT int cudnnSetTensor4dDescriptor(struct sizes *tensor, int format, int type, int n, int c, int h, int w) {
    return set(tensor, format, type, n, c, h, w);
}

EXPORT int cudnnSetFilter4dDescriptor(struct sizes *filter, int type, int format, int k, int c, int h, int w) {
    return set(filter, format, type, k, c, h, w);
}

EXPORT int cudnnSetConvolution2dDescriptor(struct windows *windows, int padding_y, int padding_x, int stride_y, int stride_x, int dilation_y,
                                           int dilation_x, int mode, int type) {
    if (dilation_y != 1 || dilation_x != 1 || mode != CROSS_CORRELATION || type != FLOAT) {
        return NOT_SUPPORTED;
    }
    *windows = (struct windows){padding_y, padding_x, stride_y, stride_x, 0};
    return SUCCESS;
}

EXPORT int cudnnSetConvolutionMathType(struct windows *windows, int math) {
    windows->math = math;
    return SUCCESS;
}

static int check(struct sizes *in, struct sizes *filter, struct windows *windows, struct sizes *out, int algorithm) {
    if (algorithm != IMPLICIT_PRECOMP_GEMM || windows->math != (in->type == HALF ? TENSOR_OP_MATH : FMA_MATH)) {
        return NOT_SUPPORTED;
    }
    return in->type == filter->type && in->type == out->type && in->count == out->count && in->channels == filter->channels
                   && out->channels == filter->count && out->height == (in->height + 2 * windows->padding_y - filter->height) / windows->stride_y + 1
                   && out->width == (in->width + 2 * windows->padding_x - filter->width) / windows->stride_x + 1
               ? SUCCESS
               : BAD_PARAM;
}

EXPORT int cudnnGetConvolutionForwardWorkspaceSize(struct handle *handle, struct sizes *in, struct sizes *filter, struct windows *windows,
                                                   struct sizes *out, int algorithm, size_t *bytes) {
    CALL("cudnnGetConvolutionForwardWorkspaceSize")
    (void)handle;
    *bytes = WORK_BYTES;
    return check(in, filter, windows, out, algorithm);
}

static int convolve(const void *parameters) {
    const struct convolution *c = parameters;
    JNIEnv *env = java();
    jintArray sizes = (*env)->NewIntArray(env, SIZES);
    (*env)->SetIntArrayRegion(env, sizes, 0, SIZES, c->sizes);
    int failure = ask("convolve", "(IZ[IJJJJ)I", c->device, c->half, sizes, c->in, c->weights, c->out, c->work);
    (*env)->DeleteLocalRef(env, sizes);
    return failure;
}

EXPORT int cudnnConvolutionForward(struct handle *handle, const void *alpha, struct sizes *in_sizes, const void *in, struct sizes *filter,
                                   const void *weights, struct windows *windows, int algorithm, void *work, size_t work_bytes, const void *beta,
                                   struct sizes *out_sizes, void *out) {
    CALL("cudnnConvolutionForward")
    int status = check(in_sizes, filter, windows, out_sizes, algorithm);
    if (status) {
        return status;
    }
    if (*(const float *)alpha != 1 || *(const float *)beta != 0 || work_bytes < WORK_BYTES || !work) {
        return BAD_PARAM;
    }
    struct convolution convolution = {
        handle->device,
        in_sizes->type == HALF,
        {in_sizes->count, in_sizes->height, in_sizes->width, in_sizes->channels, out_sizes->height, out_sizes->width, out_sizes->channels,
         filter->height, filter->width, windows->padding_y, windows->padding_x, windows->stride_y, windows->stride_x},
        (jlong)in,
        (jlong)weights,
        (jlong)out,
        (jlong)work};
    return queue(handle->stream, convolve, &convolution, sizeof convolution) ? EXECUTION_FAILED : SUCCESS;
}
