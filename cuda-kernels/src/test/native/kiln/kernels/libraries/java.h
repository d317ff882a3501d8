/* How a stand-in for one of NVIDIA's libraries reaches the emulated card: kiln.kernels.emulator.StandInLibraries in the JVM that loaded it. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <jni.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define EXPORT __attribute__((visibility("default")))

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
    (*machine)->GetEnv(machine, (void **)&env, JNI_VERSION_1_8);
    return env;
}

/* Calls a static method that returns an int; -1 when it throws. */
static int ask(const char *name, const char *signature, ...) {
    JNIEnv *env = java();
    jclass found = env ? (*env)->FindClass(env, "kiln/kernels/emulator/StandInLibraries") : NULL;
    jmethodID method = found ? (*env)->GetStaticMethodID(env, found, name, signature) : NULL;
    jint answer = -1;
    if (method) {
        va_list arguments;
        va_start(arguments, signature);
        answer = (*env)->CallStaticIntMethodV(env, found, method, arguments);
        va_end(arguments);
    }
    if (env && (*env)->ExceptionCheck(env)) {
        (*env)->ExceptionDescribe(env);
        (*env)->ExceptionClear(env);
        return -1;
    }
    return answer;
}

/* A call of the stand-in for libcuda.so.1; NULL when that is not what runs. */
static void *driver(const char *call) {
    void *library = dlopen("libcuda.so.1", RTLD_LAZY | RTLD_NOLOAD);
    return library ? dlsym(library, call) : NULL;
}

/* Queues a call with a copy of the parameters; 0 when that went well. */
static int queue(void *stream, int (*call)(const void *), void *parameters, size_t bytes) {
    int (*queue)(void *, int (*)(const void *), void *, size_t) = driver("cuEmulatedQueue");
    return queue ? queue(stream, call, parameters, bytes) : -1;
}

/* The device of the thread's context; -1 when there is none. */
static int current_device(void) {
    int (*get)(int *) = driver("cuCtxGetDevice");
    int device = -1;
    return get && get(&device) == 0 ? device : -1;
}

/* What a variable such as EMULATED_CUDNN_FAIL="cudnnCreate=1" orders for a call; 0 mostly. */
static int ordered(const char *variable, const char *call) {
    const char *order = getenv(variable);
    const char *at = order ? strstr(order, call) : NULL;
    return at && at[strlen(call)] == '=' ? atoi(at + strlen(call) + 1) : 0;
}

static int number(const char *variable, int otherwise) {
    const char *value = getenv(variable);
    return value ? atoi(value) : otherwise;
}
