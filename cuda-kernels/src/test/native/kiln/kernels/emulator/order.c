/* The stand-in's streams, events and graphs; see libcuda.c. */
#include "libcuda.h"

/* What a call that makes the host wait comes to: where a capture has what is waited for, an error that spoils it. */
static result_t spoil(struct thing *graph) {
    if (!graph) {
        return SUCCESS;
    }
    graph->as.of_graph.spoilt = 1;
    return CAPTURE_UNSUPPORTED;
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
    return stream ? spoil(stream->as.of_stream.capture) : SUCCESS;
}

EXPORT cuStreamQuery(struct thing *stream) {
    CALL_IN_CONTEXT("cuStreamQuery")
    if (stream && !is(stream, STREAM)) {
        return INVALID_HANDLE;
    }
    return stream ? spoil(stream->as.of_stream.capture) : SUCCESS;
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
    return spoil(event->as.of_event.capture);
}

EXPORT cuEventSynchronize(struct thing *event) {
    CALL_IN_CONTEXT("cuEventSynchronize")
    if (!is(event, EVENT)) {
        return INVALID_HANDLE;
    }
    return spoil(event->as.of_event.capture);
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
    if (captured->as.of_graph.spoilt) {
        forget(captured);
        *graph = NULL;
        return CAPTURE_INVALIDATED;
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
