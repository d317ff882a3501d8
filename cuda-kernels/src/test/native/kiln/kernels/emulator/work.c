/* The stand-in's memory, copies and kernels; see libcuda.c. */
#include "libcuda.h"

/* Memory. */

EXPORT cuMemGetInfo_v2(size_t *available, size_t *total) {
    CALL_IN_CONTEXT("cuMemGetInfo")
    *available = ask("freeBytes", "(I)J", device_of(context));
    *total = ask("totalBytes", "(I)J", device_of(context));
    return SUCCESS;
}

EXPORT cuMemAlloc_v2(address_t *address, size_t bytes) {
    CALL_IN_CONTEXT("cuMemAlloc")
    if (!bytes) {
        return INVALID_VALUE;
    }
    if (capturing(context)) {
        return CAPTURE_UNSUPPORTED;
    }
    jlong base = ask("allocate", "(IJ)J", device_of(context), (jlong)bytes);
    if (base < 0) {
        return (result_t)-base;
    }
    struct thing *allocation = make(ALLOCATION, context);
    allocation->as.of_memory.base = base;
    allocation->as.of_memory.bytes = bytes;
    *address = base;
    return SUCCESS;
}

EXPORT cuMemFree_v2(address_t address) {
    CALL_IN_CONTEXT("cuMemFree")
    if (!address) {
        return SUCCESS;
    }
    if (capturing(context)) {
        return CAPTURE_UNSUPPORTED;
    }
    struct thing *allocation = memory(ALLOCATION, context, address, 0);
    if (!allocation || allocation->as.of_memory.base != address) {
        return INVALID_VALUE;
    }
    forget(allocation);
    return SUCCESS;
}

EXPORT cuMemGetAddressRange_v2(address_t *base, size_t *bytes, address_t address) {
    CALL_IN_CONTEXT("cuMemGetAddressRange")
    struct thing *allocation = memory(ALLOCATION, context, address, 1);
    if (!allocation) {
        return NOT_FOUND;
    }
    if (base) {
        *base = allocation->as.of_memory.base;
    }
    if (bytes) {
        *bytes = allocation->as.of_memory.bytes;
    }
    return SUCCESS;
}

EXPORT cuMemHostAlloc(void **pointer, size_t bytes, unsigned flags) {
    CALL_IN_CONTEXT("cuMemHostAlloc")
    (void)flags;
    if (!bytes) {
        return INVALID_VALUE;
    }
    if (posix_memalign(pointer, 4096, bytes)) {
        return OUT_OF_MEMORY;
    }
    memset(*pointer, 0xa5, bytes); /* nobody may count on zeros */
    struct thing *pinned = make(PINNED, context);
    pinned->as.of_memory.base = (address_t)*pointer;
    pinned->as.of_memory.bytes = bytes;
    return SUCCESS;
}

EXPORT cuMemAllocHost_v2(void **pointer, size_t bytes) {
    return cuMemHostAlloc(pointer, bytes, 0);
}

EXPORT cuMemFreeHost(void *pointer) {
    CALL_IN_CONTEXT("cuMemFreeHost")
    struct thing *pinned = memory(PINNED, context, (address_t)pointer, 0);
    if (!pinned || pinned->as.of_memory.base != (address_t)pointer) {
        return INVALID_VALUE;
    }
    forget(pinned);
    return SUCCESS;
}

/* Work. */

static result_t launch_now(struct thing *context, struct work *work) {
    JNIEnv *env = java();
    struct thing *function = work->function;
    int bytes = function->as.of_function.parameter_bytes;
    jbyteArray parameters = (*env)->NewByteArray(env, bytes);
    (*env)->SetByteArrayRegion(env, parameters, 0, bytes, (jbyte *)work->parameters);
    jstring entry = (*env)->NewStringUTF(env, function->as.of_function.entry);
    jlong answer = ask("launch", "(IJLjava/lang/String;IIIIIII[B)J", device_of(context), function->as.of_function.module->as.of_module.number,
                       entry, work->grid[0], work->grid[1], work->grid[2], work->block[0], work->block[1], work->block[2], work->shared, parameters);
    (*env)->DeleteLocalRef(env, parameters);
    (*env)->DeleteLocalRef(env, entry);
    return (result_t)-answer;
}

static result_t copy_now(struct thing *context, struct work *work, const char *method, address_t address) {
    JNIEnv *env = java();
    /* A buffer holds less than 2 GiB. */
    for (uint64_t done = 0; done < work->bytes;) {
        uint64_t piece = work->bytes - done < 1 << 30 ? work->bytes - done : 1 << 30;
        jobject host = (*env)->NewDirectByteBuffer(env, (char *)work->host + done, piece);
        jlong answer = ask(method, "(IJLjava/nio/ByteBuffer;)J", device_of(context), address + done, host);
        (*env)->DeleteLocalRef(env, host);
        if (answer < 0) {
            return (result_t)-answer;
        }
        done += piece;
    }
    return SUCCESS;
}

static void do_now(struct thing *context, struct work *work) {
    result_t error = SUCCESS;
    int device = device_of(context);
    switch (work->what) {
        case LAUNCH: error = launch_now(context, work); break;
        case TO_DEVICE: error = copy_now(context, work, "write", work->target); break;
        case TO_HOST: error = copy_now(context, work, "read", work->source); break;
        case ON_DEVICE: error = (result_t)-ask("copy", "(IJJJ)J", device, work->target, work->source, (jlong)work->bytes); break;
        case LIBRARY: error = work->library(work->parameters) ? LAUNCH_FAILED : SUCCESS; break;
        case SET: error = (result_t)-ask("fill", "(IJIIJ)J", device, work->target, (jint)work->value, work->width, (jlong)work->bytes); break;
    }
    context->as.of_context.error = error;
}

static size_t parameter_bytes(struct work *work) {
    return work->function ? (size_t)work->function->as.of_function.parameter_bytes : work->bytes;
}

void append(struct thing *graph, struct work *work) {
    struct work *copy = malloc(sizeof *copy);
    *copy = *work;
    copy->next = NULL;
    if (work->parameters) {
        copy->parameters = malloc(parameter_bytes(work) + 1);
        memcpy(copy->parameters, work->parameters, parameter_bytes(work));
    }
    *graph->as.of_graph.last = copy;
    graph->as.of_graph.last = &copy->next;
}

result_t queue(struct thing *context, struct thing *stream, struct work *work) {
    if (stream && !is(stream, STREAM)) {
        return INVALID_HANDLE;
    }
    if (stream && stream->context != context) {
        return INVALID_CONTEXT;
    }
    if (stream && stream->as.of_stream.capture) {
        append(stream->as.of_stream.capture, work);
    } else {
        do_now(context, work);
    }
    return SUCCESS;
}

/* No call of CUDA's: how the stand-ins of NVIDIA's libraries queue what they do. A copy of the parameters is kept. */
EXPORT cuEmulatedQueue(struct thing *stream, int (*library)(const void *), void *parameters, size_t bytes) {
    CALL_IN_CONTEXT("cuEmulatedQueue")
    struct work work = {.what = LIBRARY, .library = library, .parameters = parameters, .bytes = bytes};
    return queue(context, stream, &work);
}

static result_t queue_copy(struct thing *context, struct thing *stream, struct work work) {
    int to_device = work.what != TO_HOST;
    int from_device = work.what == TO_HOST || work.what == ON_DEVICE;
    if ((to_device && !memory(ALLOCATION, context, work.target, work.bytes * (work.what == SET ? work.width : 1)))
        || (from_device && !memory(ALLOCATION, context, work.source, work.bytes))
        || ((work.what == TO_DEVICE || work.what == TO_HOST) && !work.host)) {
        return INVALID_VALUE;
    }
    return queue(context, stream, &work);
}

EXPORT cuMemcpyHtoDAsync_v2(address_t target, const void *source, size_t bytes, struct thing *stream) {
    CALL_IN_CONTEXT("cuMemcpyHtoDAsync")
    return queue_copy(context, stream, (struct work){.what = TO_DEVICE, .target = target, .host = (void *)source, .bytes = bytes});
}

EXPORT cuMemcpyDtoHAsync_v2(void *target, address_t source, size_t bytes, struct thing *stream) {
    CALL_IN_CONTEXT("cuMemcpyDtoHAsync")
    return queue_copy(context, stream, (struct work){.what = TO_HOST, .source = source, .host = target, .bytes = bytes});
}

EXPORT cuMemcpyDtoDAsync_v2(address_t target, address_t source, size_t bytes, struct thing *stream) {
    CALL_IN_CONTEXT("cuMemcpyDtoDAsync")
    return queue_copy(context, stream, (struct work){.what = ON_DEVICE, .target = target, .source = source, .bytes = bytes});
}

EXPORT cuMemsetD8Async(address_t target, unsigned char value, size_t count, struct thing *stream) {
    CALL_IN_CONTEXT("cuMemsetD8Async")
    return queue_copy(context, stream, (struct work){.what = SET, .target = target, .value = value, .width = 1, .bytes = count});
}

EXPORT cuMemsetD32Async(address_t target, unsigned value, size_t count, struct thing *stream) {
    CALL_IN_CONTEXT("cuMemsetD32Async")
    if (target & 3) {
        return INVALID_VALUE;
    }
    return queue_copy(context, stream, (struct work){.what = SET, .target = target, .value = value, .width = 4, .bytes = count});
}

EXPORT cuMemcpyHtoD_v2(address_t target, const void *source, size_t bytes) {
    CALL_IN_CONTEXT("cuMemcpyHtoD")
    return queue_copy(context, NULL, (struct work){.what = TO_DEVICE, .target = target, .host = (void *)source, .bytes = bytes});
}

EXPORT cuMemcpyDtoH_v2(void *target, address_t source, size_t bytes) {
    CALL_IN_CONTEXT("cuMemcpyDtoH")
    return queue_copy(context, NULL, (struct work){.what = TO_HOST, .source = source, .host = target, .bytes = bytes});
}

/* Kernels. */

enum { JIT_ERROR_LOG = 5, JIT_ERROR_LOG_BYTES = 6 };

EXPORT cuModuleLoadDataEx(struct thing **module, const void *image, unsigned count, int *options, void **values) {
    CALL_IN_CONTEXT("cuModuleLoadDataEx")
    if (capturing(context)) {
        return CAPTURE_UNSUPPORTED;
    }
    char *log = NULL;
    size_t log_bytes = 0;
    for (unsigned i = 0; i < count; i++) {
        if (options[i] == JIT_ERROR_LOG) {
            log = values[i];
        } else if (options[i] == JIT_ERROR_LOG_BYTES) {
            log_bytes = (size_t)values[i];
        }
    }
    JNIEnv *env = java();
    jsize length = (jsize)strlen(image);
    jbyteArray bytes = (*env)->NewByteArray(env, length);
    (*env)->SetByteArrayRegion(env, bytes, 0, length, image);
    jlong number = ask("load", "(I[B)J", device_of(context), bytes);
    (*env)->DeleteLocalRef(env, bytes);
    if (number < 0) {
        if (log && log_bytes) {
            text("problem", 0, log, log_bytes);
        }
        return (result_t)-number;
    }
    *module = make(MODULE, context);
    (*module)->as.of_module.number = number;
    return SUCCESS;
}

EXPORT cuModuleLoadData(struct thing **module, const void *image) {
    return cuModuleLoadDataEx(module, image, 0, NULL, NULL);
}

EXPORT cuModuleUnload(struct thing *module) {
    CALL_IN_CONTEXT("cuModuleUnload")
    if (!is(module, MODULE)) {
        return INVALID_HANDLE;
    }
    for (struct thing *each = things; each;) {
        struct thing *next = each->next;
        if (each->kind == FUNCTION && each->as.of_function.module == module) {
            forget(each);
        }
        each = next;
    }
    forget(module);
    return SUCCESS;
}

EXPORT cuModuleGetFunction(struct thing **function, struct thing *module, const char *entry) {
    CALL_IN_CONTEXT("cuModuleGetFunction")
    if (!is(module, MODULE)) {
        return INVALID_HANDLE;
    }
    JNIEnv *env = java();
    jmethodID method = (*env)->GetStaticMethodID(env, card, "describe", "(JLjava/lang/String;)[I");
    jstring name = (*env)->NewStringUTF(env, entry);
    jintArray described = (*env)->CallStaticObjectMethod(env, card, method, module->as.of_module.number, name);
    (*env)->DeleteLocalRef(env, name);
    if (!described) {
        return NOT_FOUND;
    }
    jsize length = (*env)->GetArrayLength(env, described);
    jint *values = (*env)->GetIntArrayElements(env, described, NULL);
    struct thing *made = make(FUNCTION, context);
    made->as.of_function.module = module;
    made->as.of_function.entry = strdup(entry);
    made->as.of_function.static_shared = values[0];
    made->as.of_function.largest_block = values[1];
    made->as.of_function.parameter_bytes = values[2];
    made->as.of_function.most_dynamic_shared = (48 << 10) - values[0];
    made->as.of_function.parameters = (length - 3) / 2;
    made->as.of_function.layout = malloc(length * sizeof(int));
    memcpy(made->as.of_function.layout, values + 3, (length - 3) * sizeof(int));
    (*env)->ReleaseIntArrayElements(env, described, values, JNI_ABORT);
    (*env)->DeleteLocalRef(env, described);
    *function = made;
    return SUCCESS;
}

enum { FUNCTION_LARGEST_BLOCK = 0, FUNCTION_STATIC_SHARED = 1, FUNCTION_DYNAMIC_SHARED = 8, DEVICE_SHARED_OPTIN = 97 };

EXPORT cuFuncGetAttribute(int *value, int attribute, struct thing *function) {
    CALL_IN_CONTEXT("cuFuncGetAttribute")
    if (!is(function, FUNCTION)) {
        return INVALID_HANDLE;
    }
    switch (attribute) {
        case FUNCTION_LARGEST_BLOCK: *value = function->as.of_function.largest_block; return SUCCESS;
        case FUNCTION_STATIC_SHARED: *value = function->as.of_function.static_shared; return SUCCESS;
        case FUNCTION_DYNAMIC_SHARED: *value = function->as.of_function.most_dynamic_shared; return SUCCESS;
        default: return INVALID_VALUE;
    }
}

EXPORT cuFuncSetAttribute(struct thing *function, int attribute, int value) {
    CALL_IN_CONTEXT("cuFuncSetAttribute")
    if (!is(function, FUNCTION)) {
        return INVALID_HANDLE;
    }
    int limit = (int)ask("attribute", "(II)J", DEVICE_SHARED_OPTIN, device_of(context));
    if (attribute != FUNCTION_DYNAMIC_SHARED || value < 0 || value + function->as.of_function.static_shared > limit) {
        return INVALID_VALUE;
    }
    function->as.of_function.most_dynamic_shared = value;
    return SUCCESS;
}

EXPORT cuLaunchKernel(struct thing *function, unsigned grid_x, unsigned grid_y, unsigned grid_z, unsigned block_x, unsigned block_y,
                      unsigned block_z, unsigned shared, struct thing *stream, void **parameters, void **extra) {
    CALL_IN_CONTEXT("cuLaunchKernel")
    if (!is(function, FUNCTION)) {
        return INVALID_HANDLE;
    }
    uint64_t threads = (uint64_t)block_x * block_y * block_z;
    if (!grid_x || !grid_y || !grid_z || grid_x > INT32_MAX || grid_y > 65535 || grid_z > 65535 || !threads || threads > 1024 || block_z > 64
        || extra || (!parameters && function->as.of_function.parameters)) {
        return INVALID_VALUE;
    }
    if (threads > (uint64_t)function->as.of_function.largest_block || shared > (unsigned)function->as.of_function.most_dynamic_shared) {
        return INVALID_VALUE;
    }
    unsigned char packed[4352] = {0};
    if (function->as.of_function.parameter_bytes > (int)sizeof packed) {
        return LAUNCH_OUT_OF_RESOURCES;
    }
    for (int i = 0; i < function->as.of_function.parameters; i++) {
        if (!parameters[i]) {
            return INVALID_VALUE;
        }
        int *place = function->as.of_function.layout + 2 * i;
        memcpy(packed + place[0], parameters[i], place[1]);
    }
    struct work work = {.what = LAUNCH,
                        .function = function,
                        .grid = {grid_x, grid_y, grid_z},
                        .block = {block_x, block_y, block_z},
                        .shared = shared,
                        .parameters = packed};
    return queue(context, stream, &work);
}
