/* What the parts of the stand-in share; see libcuda.c. */
#pragma once
#define _GNU_SOURCE
#include <jni.h>
#include <pthread.h>
#include <stdint.h>
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
            int spoilt; /* by a call that a capture forbids */
        } of_graph; /* and of an executable one */
        struct {
            address_t base;
            uint64_t bytes;
        } of_memory; /* device or pinned */
    } as;
};

/* One piece of work, as it is done at once or kept in a graph. */
struct work {
    enum { LAUNCH, TO_DEVICE, TO_HOST, ON_DEVICE, SET, LIBRARY } what;
    struct work *next;
    struct thing *function;
    unsigned grid[3], block[3], shared;
    unsigned char *parameters;
    int (*library)(const void *parameters);
    address_t target, source;
    void *host;
    uint64_t bytes;
    unsigned value;
    int width;
};

extern struct thing *things;
extern pthread_mutex_t lock;
extern int devices; /* negative before cuInit */

/* Contexts of this thread; the last is the current one. */
#define STACK 16
extern __thread struct thing *stack[STACK];
extern __thread int depth;

/* Handles. */

int is(struct thing *pointer, enum kind kind);
struct thing *make(enum kind kind, struct thing *context);
void forget(struct thing *thing);
void forget_all_of(struct thing *context);
int device_of(struct thing *thing);
/* The allocation, or pinned memory, that holds all of those bytes. */
struct thing *memory(enum kind kind, struct thing *context, address_t address, uint64_t bytes);
/* Whether a capture goes on, which forbids what could make the device wait; if so, it is spoilt. */
int capturing(struct thing *context);

/* Java. */

extern jclass card;
JNIEnv *java(void);
/* Calls a static method of StandInCard that returns a long; what it throws is shown and counts as CUDA_ERROR_UNKNOWN. */
jlong ask(const char *name, const char *signature, ...);
/* Calls one that makes a string of a long. */
void text(const char *name, jlong of, char *target, size_t size);
result_t start(void);

/* Calls. */

/* The error that EMULATED_FAIL orders for this call. */
result_t ordered(const char *name);
void leave(int *held);
/* Does work, or keeps it where the stream is being captured. */
result_t queue(struct thing *context, struct thing *stream, struct work *work);
void append(struct thing *graph, struct work *work);

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
