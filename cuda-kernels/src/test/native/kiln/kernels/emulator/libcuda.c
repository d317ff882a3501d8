/*
 * A stand-in for NVIDIA's libcuda.so.1, for machines without a card: what JCuda's own library calls when Kiln runs.
 *
 * It keeps contexts, modules, streams, events, graphs and the table of allocations, and refuses what the driver refuses, with the
 * driver's numbers. The bytes of device memory and the kernels' work are Java's: kiln.kernels.emulator.StandInCard, found in the JVM
 * that this library was loaded into. Work is done while it is queued; a kernel's fault shows at the next call, and at all later ones.
 *
 * EMULATED_FAIL="cuMemAlloc:3=2,cuLaunchKernel:1=700" fails the third cuMemAlloc with CUDA_ERROR_OUT_OF_MEMORY, and so on. The other
 * variables are StandInCard's.
 *
 * Here are Java, handles, devices and contexts; memory, copies and kernels are in work.c, streams, events and graphs in order.c.
 */
#include "libcuda.h"

#include <dlfcn.h>
#include <stdarg.h>
#include <stdio.h>

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

struct thing *things;
pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
int devices = -1;
__thread struct thing *stack[STACK];
__thread int depth;

/* Java. */

jclass card;

JNIEnv *java(void) {
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

jlong ask(const char *name, const char *signature, ...) {
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

void text(const char *name, jlong of, char *target, size_t size) {
    JNIEnv *env = java();
    jmethodID method = (*env)->GetStaticMethodID(env, card, name, "(J)Ljava/lang/String;");
    jstring string = (*env)->CallStaticObjectMethod(env, card, method, of);
    const char *bytes = (*env)->GetStringUTFChars(env, string, NULL);
    snprintf(target, size, "%s", bytes);
    (*env)->ReleaseStringUTFChars(env, string, bytes);
    (*env)->DeleteLocalRef(env, string);
}

result_t start(void) {
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

result_t ordered(const char *name) {
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

void leave(int *held) {
    if (*held) {
        pthread_mutex_unlock(&lock);
    }
}

/* Handles. */

int is(struct thing *pointer, enum kind kind) {
    for (struct thing *each = things; each; each = each->next) {
        if (each == pointer) {
            return each->kind == kind;
        }
    }
    return 0;
}

struct thing *make(enum kind kind, struct thing *context) {
    struct thing *thing = calloc(1, sizeof *thing);
    thing->kind = kind;
    thing->context = context;
    thing->next = things;
    things = thing;
    return thing;
}

int device_of(struct thing *thing) {
    return (thing->kind == CONTEXT ? thing : thing->context)->as.of_context.device;
}

void forget(struct thing *thing) {
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

void forget_all_of(struct thing *context) {
    for (struct thing *each = things; each;) {
        struct thing *next = each->next;
        if (each->context == context) {
            forget(each);
            next = things; /* what was next may have gone as well */
        }
        each = next;
    }
}

struct thing *memory(enum kind kind, struct thing *context, address_t address, uint64_t bytes) {
    for (struct thing *each = things; each; each = each->next) {
        uint64_t from = address - each->as.of_memory.base;
        if (each->kind == kind && device_of(each) == device_of(context) && address >= each->as.of_memory.base
            && from <= each->as.of_memory.bytes && bytes <= each->as.of_memory.bytes - from) {
            return each;
        }
    }
    return NULL;
}

int capturing(struct thing *context) {
    int found = 0;
    for (struct thing *each = things; each; each = each->next) {
        if (each->kind == STREAM && each->context == context && each->as.of_stream.capture) {
            each->as.of_stream.capture->as.of_graph.spoilt = 1;
            found = 1;
        }
    }
    return found;
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

static struct thing *primaries[16];

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
