/*
 * A stand-in for NVIDIA's libcuda.so.1, for machines without a card: what JCuda's own library calls when Kiln runs.
 *
 * It keeps contexts, modules, streams, events, graphs and the table of allocations, and refuses what the driver refuses, with the
 * driver's numbers. The bytes of device memory and the kernels' work are Java's: kiln.kernels.emulator.StandInCard, found in the JVM
 * that this library was loaded into. Work is done while it is queued; a kernel's fault shows at the next call, and at all later ones.
 *
 * EMULATED_FAIL="cuMemAlloc:3=2,cuLaunchKernel:1=700" fails the third cuMemAlloc with CUDA_ERROR_OUT_OF_MEMORY, and so on. The other
 * variables are StandInCard's.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <jni.h>
#include <pthread.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

typedef int result_t;
typedef uint64_t address_t;
typedef int device_t;

enum {
    SUCCESS = 0,
    INVALID_VALUE = 1,
    OUT_OF_MEMORY = 2,
    NOT_INITIALIZED = 3,
    NO_DEVICE = 100,
    INVALID_DEVICE = 101,
    INVALID_CONTEXT = 201,
    INVALID_PTX = 218,
    INVALID_HANDLE = 400,
    NOT_FOUND = 500,
    NOT_READY = 600,
    ILLEGAL_ADDRESS = 700,
    LAUNCH_OUT_OF_RESOURCES = 701,
    PRIMARY_CONTEXT_ACTIVE = 708,
    CONTEXT_IS_DESTROYED = 709,
    LAUNCH_FAILED = 719,
    NOT_SUPPORTED = 801,
    CAPTURE_UNSUPPORTED = 900,
    CAPTURE_INVALIDATED = 901,
    CAPTURE_UNMATCHED = 903,
    CAPTURE_ISOLATION = 905,
    UNKNOWN = 999
};

static const struct {
    int number;
    const char *name;
} ERRORS[] = {
    {SUCCESS, "CUDA_SUCCESS"},
    {INVALID_VALUE, "CUDA_ERROR_INVALID_VALUE"},
    {OUT_OF_MEMORY, "CUDA_ERROR_OUT_OF_MEMORY"},
    {NOT_INITIALIZED, "CUDA_ERROR_NOT_INITIALIZED"},
    {NO_DEVICE, "CUDA_ERROR_NO_DEVICE"},
    {INVALID_DEVICE, "CUDA_ERROR_INVALID_DEVICE"},
    {INVALID_CONTEXT, "CUDA_ERROR_INVALID_CONTEXT"},
    {INVALID_PTX, "CUDA_ERROR_INVALID_PTX"},
    {INVALID_HANDLE, "CUDA_ERROR_INVALID_HANDLE"},
    {NOT_FOUND, "CUDA_ERROR_NOT_FOUND"},
    {NOT_READY, "CUDA_ERROR_NOT_READY"},
    {ILLEGAL_ADDRESS, "CUDA_ERROR_ILLEGAL_ADDRESS"},
    {LAUNCH_OUT_OF_RESOURCES, "CUDA_ERROR_LAUNCH_OUT_OF_RESOURCES"},
    {PRIMARY_CONTEXT_ACTIVE, "CUDA_ERROR_PRIMARY_CONTEXT_ACTIVE"},
    {CONTEXT_IS_DESTROYED, "CUDA_ERROR_CONTEXT_IS_DESTROYED"},
    {LAUNCH_FAILED, "CUDA_ERROR_LAUNCH_FAILED"},
    {NOT_SUPPORTED, "CUDA_ERROR_NOT_SUPPORTED"},
    {CAPTURE_UNSUPPORTED, "CUDA_ERROR_STREAM_CAPTURE_UNSUPPORTED"},
    {CAPTURE_INVALIDATED, "CUDA_ERROR_STREAM_CAPTURE_INVALIDATED"},
    {CAPTURE_UNMATCHED, "CUDA_ERROR_STREAM_CAPTURE_UNMATCHED"},
    {CAPTURE_ISOLATION, "CUDA_ERROR_STREAM_CAPTURE_ISOLATION"},
    {UNKNOWN, "CUDA_ERROR_UNKNOWN"},
};

/* Everything that a handle may name. Live ones are in one list; a pointer that is not in it is no handle. */

enum kind { CONTEXT, MODULE, FUNCTION, STREAM, EVENT, GRAPH, EXECUTABLE, ALLOCATION, PINNED };

struct thing {
    enum kind kind;
    struct thing *context; /* that it goes with; NULL for a context */
    struct thing *next;
    union {
        struct {
            int device, primary, users;
            result_t error; /* of a kernel: all later calls fail with it */
        } of_context;
        struct {
            jlong number; /* StandInCard's */
        } of_module;
        struct {
            struct thing *module;
            char *entry;
            int static_shared, largest_block, most_dynamic_shared, parameter_bytes, parameters;
            int *layout; /* offset and size of each parameter */
        } of_function;
        struct {
            struct thing *capture; /* the graph that takes this stream's work; NULL mostly */
            int origin;            /* whether the capture began here */
        } of_stream;
        struct {
            int timed, recorded;
            struct timespec time;
            struct thing *capture;
        } of_event;
        struct {
            struct work *first, **last;
        } of_graph; /* and of an executable one */
        struct {
            address_t base;
            uint64_t bytes;
        } of_memory; /* device or pinned */
    } as;
};

/* One piece of work, as it is done at once or kept in a graph. */
struct work {
    enum { LAUNCH, TO_DEVICE, TO_HOST, ON_DEVICE, SET } what;
    struct work *next;
    struct thing *function;
    unsigned grid[3], block[3], shared;
    unsigned char *parameters;
    address_t target, source;
    void *host;
    uint64_t bytes;
    unsigned value;
    int width;
};

static struct thing *things;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static int devices = -1;
static struct thing *primaries[16];

#define STACK 16
static __thread struct thing *stack[STACK];
static __thread int depth;

/* Java. */

static jclass card;

static JNIEnv *java(void) {
    static JavaVM *machine;
    if (!machine) {
        jint (*created)(JavaVM **, jsize, jsize *) = dlsym(RTLD_DEFAULT, "JNI_GetCreatedJavaVMs");
        jsize count = 0;
        if (!created || created(&machine, 1, &count) != JNI_OK || count < 1) {
            return NULL;
        }
    }
    JNIEnv *env = NULL;
    if ((*machine)->GetEnv(machine, (void **)&env, JNI_VERSION_1_8) == JNI_EDETACHED) {
        (*machine)->AttachCurrentThreadAsDaemon(machine, (void **)&env, NULL);
    }
    return env;
}

/* Calls a static method of StandInCard that returns a long; what it throws is shown and counts as CUDA_ERROR_UNKNOWN. */
static jlong ask(const char *name, const char *signature, ...) {
    JNIEnv *env = java();
    jmethodID method = (*env)->GetStaticMethodID(env, card, name, signature);
    jlong answer = -UNKNOWN;
    if (method) {
        va_list arguments;
        va_start(arguments, signature);
        answer = (*env)->CallStaticLongMethodV(env, card, method, arguments);
        va_end(arguments);
    }
    if ((*env)->ExceptionCheck(env)) {
        (*env)->ExceptionDescribe(env);
        (*env)->ExceptionClear(env);
        return -UNKNOWN;
    }
    return answer;
}

static void text(const char *name, jlong of, char *target, size_t size) {
    JNIEnv *env = java();
    jmethodID method = (*env)->GetStaticMethodID(env, card, name, "(J)Ljava/lang/String;");
    jstring string = (*env)->CallStaticObjectMethod(env, card, method, of);
    const char *bytes = (*env)->GetStringUTFChars(env, string, NULL);
    snprintf(target, size, "%s", bytes);
    (*env)->ReleaseStringUTFChars(env, string, bytes);
    (*env)->DeleteLocalRef(env, string);
}

static result_t start(void) {
    JNIEnv *env = java();
    if (!env) {
        fprintf(stderr, "emulated card: this process runs no Java\n");
        return NO_DEVICE;
    }
    jclass found = (*env)->FindClass(env, "kiln/kernels/emulator/StandInCard");
    if (!found) {
        (*env)->ExceptionClear(env);
        fprintf(stderr, "emulated card: the test classes of cuda-kernels are not on the class path\n");
        return NO_DEVICE;
    }
    card = (*env)->NewGlobalRef(env, found);
    (*env)->DeleteLocalRef(env, found);
    jlong count = ask("start", "()J");
    if (count < 0) {
        return NO_DEVICE;
    }
    devices = (int)count;
    return count == 0 ? NO_DEVICE : SUCCESS;
}

/* Calls. */

/* The error that EMULATED_FAIL orders for this call. */
static result_t ordered(const char *name) {
    static struct {
        char name[64];
        int call, error, seen;
    } orders[32];
    static int count = -1;
    if (count < 0) {
        count = 0;
        const char *at = getenv("EMULATED_FAIL");
        while (at && count < 32 && sscanf(at, "%63[^:]:%d=%d", orders[count].name, &orders[count].call, &orders[count].error) == 3) {
            count++;
            at = strchr(at, ',');
            at = at ? at + 1 : NULL;
        }
    }
    result_t error = SUCCESS;
    for (int i = 0; i < count; i++) {
        if (!strcmp(orders[i].name, name) && ++orders[i].seen == orders[i].call) {
            error = orders[i].error;
        }
    }
    return error;
}

static void leave(int *held) {
    if (*held) {
        pthread_mutex_unlock(&lock);
    }
}

#define EXPORT __attribute__((visibility("default"))) result_t

/* The first lines of every call. */
#define CALL(name)                                                                     \
    __attribute__((cleanup(leave))) int held = pthread_mutex_lock(&lock) == 0;         \
    {                                                                                  \
        result_t order = devices < 0 ? NOT_INITIALIZED : ordered(name);                \
        if (order) {                                                                   \
            return order;                                                              \
        }                                                                              \
    }

#define CALL_IN_CONTEXT(name)                                                          \
    CALL(name)                                                                         \
    struct thing *context = depth ? stack[depth - 1] : NULL;                           \
    if (!is(context, CONTEXT)) {                                                       \
        return context ? CONTEXT_IS_DESTROYED : INVALID_CONTEXT;                       \
    }                                                                                  \
    if (context->as.of_context.error) {                                                \
        return context->as.of_context.error;                                           \
    }

static int is(struct thing *pointer, enum kind kind) {
    for (struct thing *each = things; each; each = each->next) {
        if (each == pointer) {
            return each->kind == kind;
        }
    }
    return 0;
}

static struct thing *make(enum kind kind, struct thing *context) {
    struct thing *thing = calloc(1, sizeof *thing);
    thing->kind = kind;
    thing->context = context;
    thing->next = things;
    things = thing;
    return thing;
}

static int device_of(struct thing *thing) {
    return (thing->kind == CONTEXT ? thing : thing->context)->as.of_context.device;
}

static void forget(struct thing *thing) {
    for (struct thing **at = &things; *at; at = &(*at)->next) {
        if (*at == thing) {
            *at = thing->next;
            break;
        }
    }
    switch (thing->kind) {
        case MODULE: ask("unload", "(J)J", thing->as.of_module.number); break;
        case FUNCTION:
            free(thing->as.of_function.entry);
            free(thing->as.of_function.layout);
            break;
        case GRAPH:
        case EXECUTABLE:
            for (struct work *work = thing->as.of_graph.first; work;) {
                struct work *next = work->next;
                free(work->parameters);
                free(work);
                work = next;
            }
            break;
        case ALLOCATION: ask("free", "(IJ)J", device_of(thing), thing->as.of_memory.base); break;
        case PINNED: free((void *)thing->as.of_memory.base); break;
        default: break;
    }
    free(thing);
}

static void forget_all_of(struct thing *context) {
    for (struct thing *each = things; each;) {
        struct thing *next = each->next;
        if (each->context == context) {
            forget(each);
            next = things; /* what was next may have gone as well */
        }
        each = next;
    }
}

static struct thing *memory(enum kind kind, struct thing *context, address_t address, uint64_t bytes) {
    for (struct thing *each = things; each; each = each->next) {
        uint64_t from = address - each->as.of_memory.base;
        if (each->kind == kind && device_of(each) == device_of(context) && address >= each->as.of_memory.base
            && from <= each->as.of_memory.bytes && bytes <= each->as.of_memory.bytes - from) {
            return each;
        }
    }
    return NULL;
}

/* Whether a capture goes on, which forbids what could make the device wait. */
static int capturing(struct thing *context) {
    for (struct thing *each = things; each; each = each->next) {
        if (each->kind == STREAM && each->context == context && each->as.of_stream.capture) {
            return 1;
        }
    }
    return 0;
}

/* Start and devices. */

EXPORT cuInit(unsigned flags) {
    __attribute__((cleanup(leave))) int held = pthread_mutex_lock(&lock) == 0;
    result_t order = ordered("cuInit");
    if (order || flags) {
        return order ? order : INVALID_VALUE;
    }
    return devices > 0 ? SUCCESS : start();
}

EXPORT cuDriverGetVersion(int *version) {
    *version = 12060;
    return SUCCESS;
}

static const char *error_name(result_t error) {
    for (size_t i = 0; i < sizeof ERRORS / sizeof *ERRORS; i++) {
        if (ERRORS[i].number == error) {
            return ERRORS[i].name;
        }
    }
    return NULL;
}

EXPORT cuGetErrorName(result_t error, const char **name) {
    *name = error_name(error);
    return *name ? SUCCESS : INVALID_VALUE;
}

EXPORT cuGetErrorString(result_t error, const char **name) {
    return cuGetErrorName(error, name);
}

EXPORT cuDeviceGetCount(int *count) {
    CALL("cuDeviceGetCount")
    *count = devices;
    return SUCCESS;
}

EXPORT cuDeviceGet(device_t *device, int ordinal) {
    CALL("cuDeviceGet")
    if (ordinal < 0 || ordinal >= devices) {
        return INVALID_DEVICE;
    }
    *device = ordinal;
    return SUCCESS;
}

EXPORT cuDeviceGetName(char *name, int size, device_t device) {
    CALL("cuDeviceGetName")
    if (device < 0 || device >= devices) {
        return INVALID_DEVICE;
    }
    text("name", device, name, size);
    return SUCCESS;
}

EXPORT cuDeviceTotalMem_v2(size_t *bytes, device_t device) {
    CALL("cuDeviceTotalMem")
    if (device < 0 || device >= devices) {
        return INVALID_DEVICE;
    }
    *bytes = ask("totalBytes", "(I)J", device);
    return SUCCESS;
}

EXPORT cuDeviceGetUuid(unsigned char *uuid, device_t device) {
    CALL("cuDeviceGetUuid")
    if (device < 0 || device >= devices) {
        return INVALID_DEVICE;
    }
    for (int i = 0; i < 16; i++) {
        uuid[i] = i == 15 ? device : 0xe0 + i;
    }
    return SUCCESS;
}

EXPORT cuDeviceGetUuid_v2(unsigned char *uuid, device_t device) {
    return cuDeviceGetUuid(uuid, device);
}

EXPORT cuDeviceGetAttribute(int *value, int attribute, device_t device) {
    CALL("cuDeviceGetAttribute")
    if (device < 0 || device >= devices) {
        return INVALID_DEVICE;
    }
    if (attribute < 1 || attribute > 200) {
        return INVALID_VALUE;
    }
    *value = (int)ask("attribute", "(II)J", attribute, device);
    return SUCCESS;
}

/* Contexts. */

EXPORT cuDevicePrimaryCtxRetain(struct thing **context, device_t device) {
    CALL("cuDevicePrimaryCtxRetain")
    if (device < 0 || device >= devices || device >= 16) {
        return INVALID_DEVICE;
    }
    if (!primaries[device]) {
        primaries[device] = make(CONTEXT, NULL);
        primaries[device]->as.of_context.device = device;
        primaries[device]->as.of_context.primary = 1;
    }
    primaries[device]->as.of_context.users++;
    *context = primaries[device];
    return SUCCESS;
}

EXPORT cuDevicePrimaryCtxRelease_v2(device_t device) {
    CALL("cuDevicePrimaryCtxRelease")
    if (device < 0 || device >= devices || device >= 16) {
        return INVALID_DEVICE;
    }
    if (!primaries[device]) {
        return INVALID_CONTEXT;
    }
    if (--primaries[device]->as.of_context.users == 0) {
        forget_all_of(primaries[device]);
        forget(primaries[device]);
        primaries[device] = NULL;
    }
    return SUCCESS;
}

EXPORT cuCtxCreate_v2(struct thing **context, unsigned flags, device_t device) {
    CALL("cuCtxCreate")
    if (device < 0 || device >= devices) {
        return INVALID_DEVICE;
    }
    (void)flags;
    if (depth == STACK) {
        return INVALID_CONTEXT;
    }
    *context = make(CONTEXT, NULL);
    (*context)->as.of_context.device = device;
    stack[depth++] = *context;
    return SUCCESS;
}

EXPORT cuCtxDestroy_v2(struct thing *context) {
    CALL("cuCtxDestroy")
    if (!is(context, CONTEXT) || context->as.of_context.primary) {
        return INVALID_CONTEXT;
    }
    if (depth && stack[depth - 1] == context) {
        depth--;
    }
    forget_all_of(context);
    forget(context);
    return SUCCESS;
}

EXPORT cuCtxSetCurrent(struct thing *context) {
    CALL("cuCtxSetCurrent")
    if (context && !is(context, CONTEXT)) {
        return INVALID_CONTEXT;
    }
    if (depth) {
        depth--;
    }
    if (context) {
        stack[depth++] = context;
    }
    return SUCCESS;
}

EXPORT cuCtxPushCurrent_v2(struct thing *context) {
    CALL("cuCtxPushCurrent")
    if (!is(context, CONTEXT) || depth == STACK) {
        return INVALID_CONTEXT;
    }
    stack[depth++] = context;
    return SUCCESS;
}

EXPORT cuCtxPopCurrent_v2(struct thing **context) {
    CALL("cuCtxPopCurrent")
    if (!depth) {
        return INVALID_CONTEXT;
    }
    *context = stack[--depth];
    return SUCCESS;
}

EXPORT cuCtxGetCurrent(struct thing **context) {
    CALL("cuCtxGetCurrent")
    *context = depth ? stack[depth - 1] : NULL;
    return SUCCESS;
}

EXPORT cuCtxGetDevice(device_t *device) {
    CALL_IN_CONTEXT("cuCtxGetDevice")
    *device = device_of(context);
    return SUCCESS;
}

EXPORT cuCtxSynchronize(void) {
    CALL_IN_CONTEXT("cuCtxSynchronize")
    return capturing(context) ? CAPTURE_UNSUPPORTED : SUCCESS;
}

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
        case SET: error = (result_t)-ask("fill", "(IJIIJ)J", device, work->target, (jint)work->value, work->width, (jlong)work->bytes); break;
    }
    context->as.of_context.error = error;
}

static void append(struct thing *graph, struct work *work) {
    struct work *copy = malloc(sizeof *copy);
    *copy = *work;
    copy->next = NULL;
    if (work->parameters) {
        copy->parameters = malloc(work->function->as.of_function.parameter_bytes + 1);
        memcpy(copy->parameters, work->parameters, work->function->as.of_function.parameter_bytes);
    }
    *graph->as.of_graph.last = copy;
    graph->as.of_graph.last = &copy->next;
}

/* Queues work: does it, or keeps it where the stream is being captured. */
static result_t queue(struct thing *context, struct thing *stream, struct work *work) {
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

/* Order. */

EXPORT cuStreamCreate(struct thing **stream, unsigned flags) {
    CALL_IN_CONTEXT("cuStreamCreate")
    if (flags > 1) {
        return INVALID_VALUE;
    }
    *stream = make(STREAM, context);
    return SUCCESS;
}

EXPORT cuStreamCreateWithPriority(struct thing **stream, unsigned flags, int priority) {
    (void)priority;
    return cuStreamCreate(stream, flags);
}

EXPORT cuStreamDestroy_v2(struct thing *stream) {
    CALL_IN_CONTEXT("cuStreamDestroy")
    if (!is(stream, STREAM)) {
        return INVALID_HANDLE;
    }
    forget(stream);
    return SUCCESS;
}

EXPORT cuStreamSynchronize(struct thing *stream) {
    CALL_IN_CONTEXT("cuStreamSynchronize")
    if (stream && !is(stream, STREAM)) {
        return INVALID_HANDLE;
    }
    return stream && stream->as.of_stream.capture ? CAPTURE_UNSUPPORTED : SUCCESS;
}

EXPORT cuStreamQuery(struct thing *stream) {
    CALL_IN_CONTEXT("cuStreamQuery")
    if (stream && !is(stream, STREAM)) {
        return INVALID_HANDLE;
    }
    return stream && stream->as.of_stream.capture ? CAPTURE_UNSUPPORTED : SUCCESS;
}

enum { EVENT_DISABLE_TIMING = 2 };

EXPORT cuEventCreate(struct thing **event, unsigned flags) {
    CALL_IN_CONTEXT("cuEventCreate")
    if (flags > 7) {
        return INVALID_VALUE;
    }
    *event = make(EVENT, context);
    (*event)->as.of_event.timed = !(flags & EVENT_DISABLE_TIMING);
    return SUCCESS;
}

EXPORT cuEventDestroy_v2(struct thing *event) {
    CALL_IN_CONTEXT("cuEventDestroy")
    if (!is(event, EVENT)) {
        return INVALID_HANDLE;
    }
    forget(event);
    return SUCCESS;
}

EXPORT cuEventRecord(struct thing *event, struct thing *stream) {
    CALL_IN_CONTEXT("cuEventRecord")
    if (!is(event, EVENT) || (stream && !is(stream, STREAM))) {
        return INVALID_HANDLE;
    }
    event->as.of_event.capture = stream ? stream->as.of_stream.capture : NULL;
    if (!event->as.of_event.capture) {
        event->as.of_event.recorded = 1;
        clock_gettime(CLOCK_MONOTONIC, &event->as.of_event.time);
    }
    return SUCCESS;
}

/* Work is done in the order of the calls, so that only a capture has to be told of: another stream joins it so. */
EXPORT cuStreamWaitEvent(struct thing *stream, struct thing *event, unsigned flags) {
    CALL_IN_CONTEXT("cuStreamWaitEvent")
    if (flags) {
        return INVALID_VALUE;
    }
    if (!is(event, EVENT) || (stream && !is(stream, STREAM))) {
        return INVALID_HANDLE;
    }
    if (event->as.of_event.capture) {
        if (!stream || !is(event->as.of_event.capture, GRAPH)) {
            return CAPTURE_ISOLATION;
        }
        stream->as.of_stream.capture = event->as.of_event.capture;
    } else if (stream && stream->as.of_stream.capture && event->as.of_event.recorded) {
        return CAPTURE_ISOLATION;
    }
    return SUCCESS;
}

EXPORT cuEventQuery(struct thing *event) {
    CALL_IN_CONTEXT("cuEventQuery")
    if (!is(event, EVENT)) {
        return INVALID_HANDLE;
    }
    return event->as.of_event.capture ? CAPTURE_UNSUPPORTED : SUCCESS;
}

EXPORT cuEventSynchronize(struct thing *event) {
    CALL_IN_CONTEXT("cuEventSynchronize")
    if (!is(event, EVENT)) {
        return INVALID_HANDLE;
    }
    return event->as.of_event.capture ? CAPTURE_UNSUPPORTED : SUCCESS;
}

EXPORT cuEventElapsedTime(float *milliseconds, struct thing *begin, struct thing *end) {
    CALL_IN_CONTEXT("cuEventElapsedTime")
    if (!is(begin, EVENT) || !is(end, EVENT) || !begin->as.of_event.recorded || !end->as.of_event.recorded || !begin->as.of_event.timed
        || !end->as.of_event.timed) {
        return INVALID_HANDLE;
    }
    struct timespec from = begin->as.of_event.time, to = end->as.of_event.time;
    *milliseconds = (float)((to.tv_sec - from.tv_sec) * 1e3 + (to.tv_nsec - from.tv_nsec) / 1e6);
    return SUCCESS;
}

/* Graphs. */

EXPORT cuStreamBeginCapture_v2(struct thing *stream, int mode) {
    CALL_IN_CONTEXT("cuStreamBeginCapture")
    if (mode < 0 || mode > 2) {
        return INVALID_VALUE;
    }
    if (!stream) {
        return CAPTURE_UNSUPPORTED;
    }
    if (!is(stream, STREAM)) {
        return INVALID_HANDLE;
    }
    if (stream->as.of_stream.capture) {
        return INVALID_VALUE;
    }
    struct thing *graph = make(GRAPH, context);
    graph->as.of_graph.last = &graph->as.of_graph.first;
    stream->as.of_stream.capture = graph;
    stream->as.of_stream.origin = 1;
    return SUCCESS;
}

EXPORT cuStreamEndCapture(struct thing *stream, struct thing **graph) {
    CALL_IN_CONTEXT("cuStreamEndCapture")
    if (!is(stream, STREAM)) {
        return INVALID_HANDLE;
    }
    if (!stream->as.of_stream.capture) {
        return INVALID_VALUE;
    }
    if (!stream->as.of_stream.origin) {
        return CAPTURE_UNMATCHED;
    }
    struct thing *captured = stream->as.of_stream.capture;
    for (struct thing *each = things; each; each = each->next) {
        if (each->kind == STREAM && each->as.of_stream.capture == captured) {
            each->as.of_stream.capture = NULL;
            each->as.of_stream.origin = 0;
        }
        if (each->kind == EVENT && each->as.of_event.capture == captured) {
            each->as.of_event.capture = NULL;
        }
    }
    *graph = captured;
    return SUCCESS;
}

EXPORT cuStreamIsCapturing(struct thing *stream, int *status) {
    CALL_IN_CONTEXT("cuStreamIsCapturing")
    if (stream && !is(stream, STREAM)) {
        return INVALID_HANDLE;
    }
    *status = stream && stream->as.of_stream.capture;
    return SUCCESS;
}

EXPORT cuGraphInstantiateWithFlags(struct thing **executable, struct thing *graph, unsigned long long flags) {
    CALL_IN_CONTEXT("cuGraphInstantiate")
    (void)flags;
    if (!is(graph, GRAPH)) {
        return INVALID_VALUE;
    }
    struct thing *made = make(EXECUTABLE, context);
    made->as.of_graph.last = &made->as.of_graph.first;
    for (struct work *work = graph->as.of_graph.first; work; work = work->next) {
        append(made, work);
    }
    *executable = made;
    return SUCCESS;
}

EXPORT cuGraphLaunch(struct thing *executable, struct thing *stream) {
    CALL_IN_CONTEXT("cuGraphLaunch")
    if (!is(executable, EXECUTABLE)) {
        return INVALID_VALUE;
    }
    for (struct work *work = executable->as.of_graph.first; work; work = work->next) {
        if (work->function && !is(work->function, FUNCTION)) {
            return INVALID_HANDLE;
        }
        result_t error = queue(context, stream, work);
        if (error || context->as.of_context.error) {
            return error;
        }
    }
    return SUCCESS;
}

EXPORT cuGraphExecDestroy(struct thing *executable) {
    CALL_IN_CONTEXT("cuGraphExecDestroy")
    if (!is(executable, EXECUTABLE)) {
        return INVALID_VALUE;
    }
    forget(executable);
    return SUCCESS;
}

EXPORT cuGraphDestroy(struct thing *graph) {
    CALL_IN_CONTEXT("cuGraphDestroy")
    if (!is(graph, GRAPH)) {
        return INVALID_VALUE;
    }
    forget(graph);
    return SUCCESS;
}
