package kiln.weights;

import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** What a reader finds in a weights file without reading its elements: tensors by name in the file's order, and metadata. */
record WeightsIndex(String format, Map<String, String> metadata, Map<String, TensorEntry> entries, UnreadValues unread) {
    WeightsIndex {
        metadata = Collections.unmodifiableMap(new LinkedHashMap<>(metadata));
        entries = Collections.unmodifiableMap(new LinkedHashMap<>(entries));
    }

    /** Of a format that holds nothing but tensors and plain values. */
    WeightsIndex(String format, Map<String, String> metadata, Map<String, TensorEntry> entries) {
        this(format, metadata, entries, UnreadValues.NONE);
    }

    List<TensorInfo> tensors() {
        return entries.values().stream().map(TensorEntry::info).toList();
    }
}
