package kiln.weights;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import kiln.weights.WeightsException.Kind;
import kiln.weights.pickle.Inert;

/**
 * The tensors in what a torch pickle describes. A checkpoint's {@code state_dict} is taken alone and under its own names, with
 * the plain values beside it as metadata; anything else is walked as a whole, names joined by dots (embeddings'
 * {@code string_to_param.*}, hypernetworks' {@code 320.0.linear.0.weight}, modules' parameters and buffers). What is neither
 * tensor, container nor plain value is passed over, and named.
 */
final class TorchTree {
    private static final String UNKNOWN_TYPE = "elements of a type that is not known";
    private static final int MAX_DEPTH = 64;
    private static final int MAX_RANK = 64;
    private static final int MAX_NAME_LENGTH = 4096;
    private static final int MAX_KEY_LENGTH = 256;

    /**
     * Steps allowed per byte of the pickle. Values that are shared cost a few bytes each time they are met again, so without a
     * budget a small pickle could describe more than can be listed. A tensor's own description has a hundred bytes.
     */
    private static final long STEPS_PER_BYTE = 4;

    private static final int STEPS_PER_TENSOR = 16;
    private static final int STEPS_PER_DIMENSION = 8;
    private static final int NAME_LENGTH_PER_STEP = 8;

    /** Names of a torch module's members that hold tensors or further modules. */
    private static final List<String> MODULE_MEMBERS = List.of("_parameters", "_buffers", "_modules");

    /** Finds the storage that a persistent id's key names. */
    interface Storages {
        /**
         * @param key what the id calls it
         * @param elementBytes bytes of an element of its type
         * @param elements how many the id says there are
         */
        TensorEntry.Storage find(String key, int elementBytes, long elements);
    }

    private record TypedStorage(TensorEntry.Storage storage, DType dtype, long firstElement, long elements) {}

    private final Path path;
    private final long fileBytes;
    private final long pickleOffset;
    private final Storages storages;
    private final long maxSteps;
    private final Map<String, String> metadata = new LinkedHashMap<>();
    private final Map<String, TensorEntry> entries = new LinkedHashMap<>();
    private final List<String> passedOver = new ArrayList<>();
    private int passedOverCount;
    private long steps;

    /** Where in the file the value in hand was made. */
    private long offset;

    /**
     * @param pickleOffset where the pickle's input starts in the file, for messages
     * @param pickleBytes its size, to which the work is held in proportion
     */
    TorchTree(Path path, long fileBytes, long pickleOffset, int pickleBytes, Storages storages) {
        this.path = path;
        this.fileBytes = fileBytes;
        this.pickleOffset = pickleOffset;
        this.offset = pickleOffset;
        this.maxSteps = STEPS_PER_BYTE * pickleBytes;
        this.storages = storages;
    }

    /** @param globals names in the pickle */
    WeightsIndex index(String format, Object root, List<String> globals) {
        Inert.Dict top = dict(root);
        Object stateDict = top == null ? null : top.get("state_dict");
        if (dict(stateDict) != null) {
            walkDict("", dict(stateDict), 0, true);
            addMetadata(top);
            passOverBeside(top);
        } else if (isTensor(root)) {
            walk("tensor", root, 0);
        } else {
            walk("", root, 0);
            if (top != null) {
                addMetadata(top);
            }
        }
        List<String> code = globals.stream().filter(name -> !TorchTypes.isPlain(name)).toList();
        List<String> listedCode = code.subList(0, Math.min(code.size(), UnreadValues.MAX_LISTED));
        return new WeightsIndex(format, metadata, entries, new UnreadValues(passedOver, passedOverCount, listedCode, code.size()));
    }

    private void passOver(String name, String reason) {
        passedOverCount++;
        if (passedOver.size() < UnreadValues.MAX_LISTED) {
            passedOver.add((name.isEmpty() ? "all of it" : name) + " (" + reason + ")");
        }
    }

    /** What a training state keeps beside the weights. */
    private void passOverBeside(Inert.Dict top) {
        for (int i = 0; i < top.size(); i++) {
            if (top.value(i) instanceof Inert && top.key(i) instanceof String key && !key.equals("state_dict")) {
                passOver(key, "beside state_dict");
            }
        }
    }

    private void addMetadata(Inert.Dict top) {
        for (int i = 0; i < top.size(); i++) {
            if (top.key(i) instanceof String key
                    && (top.value(i) instanceof String || top.value(i) instanceof Long || top.value(i) instanceof Double
                            || top.value(i) instanceof Boolean)) {
                metadata.put(key, top.value(i).toString());
            }
        }
    }

    /** A dict, or what was made like one, such as an OrderedDict; null otherwise. */
    private static Inert.Dict dict(Object value) {
        if (value instanceof Inert.Dict dict) {
            return dict;
        }
        return value instanceof Inert.Instance instance ? instance.entries() : null;
    }

    private void walk(String name, Object value, int depth) {
        if (name.length() > MAX_NAME_LENGTH) {
            throw corrupt("a tensor's name has more than " + MAX_NAME_LENGTH + " characters");
        }
        spend(1 + name.length() / NAME_LENGTH_PER_STEP);
        if (depth > MAX_DEPTH) {
            throw corrupt("the pickle's containers are more than " + MAX_DEPTH + " deep");
        }
        if (value instanceof Inert.Sequence sequence) {
            List<Object> items = sequence.items();
            spend(items.size());
            for (int i = 0; i < items.size(); i++) {
                if (items.get(i) instanceof Inert) {
                    walk(join(name, Integer.toString(i)), items.get(i), depth + 1);
                }
            }
        } else if (dict(value) != null) {
            walkDict(name, dict(value), depth, false);
        } else if (value instanceof Inert.Instance instance) {
            walkInstance(name, instance, depth);
        }
    }

    private void walkDict(String name, Inert.Dict dict, int depth, boolean isStateDict) {
        spend(dict.size());
        for (int i = 0; i < dict.size(); i++) {
            Object key = dict.key(i);
            boolean nestedStateDict = isStateDict && "state_dict".equals(key) && dict(dict.value(i)) != null;
            boolean named = key instanceof String || key instanceof Long;
            if (named && dict.value(i) instanceof Inert && !nestedStateDict) {
                walk(join(name, key.toString()), dict.value(i), depth + 1);
            }
        }
    }

    private void walkInstance(String name, Inert.Instance instance, int depth) {
        boolean isModule = false;
        if (isTensor(instance)) {
            addTensor(name, instance, depth);
        } else if (dict(instance.state()) != null) {
            spend(dict(instance.state()).size());
            for (String member : MODULE_MEMBERS) {
                Object value = dict(instance.state()).get(member);
                isModule |= dict(value) != null;
                if (dict(value) != null) {
                    walk(name, value, depth + 1);
                }
            }
        }
        String maker = instance.callableName();
        // An empty OrderedDict or a number that numpy kept is no loss; a tensor that is rebuilt in an unknown way is.
        boolean isLoss = !TorchTypes.isPlain(maker) || maker.startsWith(TorchTypes.REBUILD);
        if (!isTensor(instance) && !isModule && isLoss) {
            passOver(name, maker.isEmpty() ? "made by no plain name" : maker);
        }
    }

    private void spend(long amount) {
        steps += amount;
        if (steps > maxSteps) {
            throw corrupt("the pickle's values hold each other more often than its size allows");
        }
    }

    private static String join(String prefix, String name) {
        return prefix.isEmpty() ? name : prefix + "." + name;
    }

    private static boolean isTensor(Object value) {
        return value instanceof Inert.Instance instance && switch (instance.callableName()) {
            case "torch._utils._rebuild_tensor", "torch._utils._rebuild_tensor_v2", "torch._utils._rebuild_tensor_v3",
                    "torch._utils._rebuild_parameter", "torch._utils._rebuild_parameter_with_state",
                    "torch._tensor._rebuild_from_type_v2", "torch._tensor._rebuild_from_type",
                    "torch.tensor._rebuild_from_type_v2", "torch.tensor._rebuild_from_type" -> true;
            default -> false;
        };
    }

    private void addTensor(String name, Inert.Instance value, int depth) {
        offset = pickleOffset + value.position();
        List<Object> arguments = value.arguments();
        switch (value.callableName()) {
            case "torch._utils._rebuild_parameter", "torch._utils._rebuild_parameter_with_state" -> {
                if (!arguments.isEmpty()) {
                    walk(name, arguments.get(0), depth + 1);
                }
            }
            case "torch._utils._rebuild_tensor", "torch._utils._rebuild_tensor_v2" -> addStrided(name, arguments, null);
            case "torch._utils._rebuild_tensor_v3" -> {
                DType dtype = arguments.size() > 6 ? TorchTypes.dtype(arguments.get(6)) : null;
                if (dtype != null) {
                    addStrided(name, arguments, dtype);
                } else {
                    passOver(name, UNKNOWN_TYPE);
                }
            }
            default -> {
                // A tensor of a subclass: (function, class, its arguments, state).
                if (arguments.size() > 2) {
                    walk(name, Inert.call(arguments.get(0), arguments.get(2), value.position()), depth + 1);
                }
            }
        }
    }

    /** Arguments (storage, first element, sizes, strides, …). Tensors of element types that safetensors lacks are passed over. */
    private void addStrided(String name, List<Object> arguments, DType dtypeOfView) {
        String quoted = "tensor " + WeightsException.quote(name);
        if (arguments.size() < 4 || !(arguments.get(1) instanceof Long firstElement)) {
            throw corrupt(quoted + " is not described as torch describes one");
        }
        TypedStorage storage = storage(quoted, arguments.get(0), dtypeOfView);
        if (storage == null) {
            passOver(name, UNKNOWN_TYPE);
            return;
        }
        long[] sizes = sizes(quoted, arguments.get(2));
        long[] strides = sizes(quoted, arguments.get(3));
        spend(STEPS_PER_TENSOR + STEPS_PER_DIMENSION * sizes.length);
        if (sizes.length != strides.length) {
            throw corrupt(quoted + " has " + sizes.length + " sizes and " + strides.length + " strides");
        }
        TensorInfo info;
        try {
            info = new TensorInfo(name, storage.dtype(), sizes);
        } catch (IllegalArgumentException e) {
            throw corrupt(quoted + ": " + e.getMessage());
        }
        checkRange(quoted, info, storage, firstElement, strides);
        TensorEntry entry = new TensorEntry(info, storage.storage(), storage.firstElement() + firstElement,
                isRowMajor(sizes, strides) ? null : strides);
        if (entries.put(name, entry) != null) {
            throw corrupt(quoted + " is there twice");
        }
    }

    private void checkRange(String quoted, TensorInfo info, TypedStorage storage, long firstElement, long[] strides) {
        if (firstElement < 0) {
            throw corrupt(quoted + " starts at element " + firstElement);
        }
        if (info.elements() == 0) {
            return;
        }
        boolean fits;
        long last = firstElement;
        try {
            for (int d = 0; d < strides.length; d++) {
                last = Math.addExact(last, Math.multiplyExact(info.size(d) - 1, strides[d]));
            }
            fits = last < storage.elements();
        } catch (ArithmeticException e) {
            fits = false;
        }
        if (!fits) {
            throw corrupt(quoted + " of " + info.shape() + " reaches beyond its " + storage.elements() + " stored elements");
        }
        if (info.bytes() > Math.max(fileBytes, storage.storage().bytes())) {
            throw new WeightsException(Kind.UNSUPPORTED, path, offset,
                    quoted + " repeats its elements to " + info.bytes() + " bytes, more than the file has");
        }
    }

    private static boolean isRowMajor(long[] sizes, long[] strides) {
        long expected = 1;
        for (int d = sizes.length - 1; d >= 0; d--) {
            if (sizes[d] == 0) {
                return true;
            }
            if (sizes[d] != 1 && strides[d] != expected) {
                return false;
            }
            expected *= sizes[d];
        }
        return true;
    }

    private long[] sizes(String quoted, Object value) {
        // torch.Size arrives as a call with the tuple as its argument.
        Object sequence = value instanceof Inert.Instance call && call.callableName().equals("torch.Size")
                && call.arguments().size() == 1 ? call.arguments().get(0) : value;
        if (!(sequence instanceof Inert.Sequence list) || list.items().size() > MAX_RANK) {
            throw corrupt(quoted + " has no usable list of sizes or strides");
        }
        long[] sizes = new long[list.items().size()];
        for (int d = 0; d < sizes.length; d++) {
            if (!(list.items().get(d) instanceof Long size) || size < 0) {
                throw corrupt(quoted + " has a size or stride that is no number of elements");
            }
            sizes[d] = size;
        }
        return sizes;
    }

    /** Id ('storage', type, key, device, elements[, (view key, first element, elements)]); null when the type has no name here. */
    private TypedStorage storage(String quoted, Object value, DType dtypeOfView) {
        if (!(value instanceof Inert.Reference reference) || !(reference.id() instanceof Inert.Sequence id)
                || id.items().size() < 5 || !"storage".equals(id.items().get(0))
                || !(id.items().get(1) instanceof Inert.Global type) || !(id.items().get(4) instanceof Long elements)
                || !(id.items().get(2) instanceof String || id.items().get(2) instanceof Long)) {
            throw corrupt(quoted + " has no storage as torch describes one");
        }
        String key = id.items().get(2).toString();
        if (key.length() > MAX_KEY_LENGTH) {
            throw corrupt(quoted + " names its storage by " + key.length() + " characters");
        }
        DType stored = TorchTypes.storageDType(type.qualifiedName());
        if (stored == null) {
            return null;
        }
        if (elements < 0 || elements > Long.MAX_VALUE / Long.BYTES) {
            throw corrupt(quoted + " has a storage of " + elements + " elements");
        }
        TensorEntry.Storage storage = storages.find(key, stored.bytes(), elements);
        long firstElement = 0;
        long available = elements;
        if (id.items().size() > 5 && id.items().get(5) instanceof Inert.Sequence view && view.items().size() == 3) {
            if (!(view.items().get(1) instanceof Long first) || !(view.items().get(2) instanceof Long length)
                    || first < 0 || length < 0 || length > elements || first > elements - length) {
                throw corrupt(quoted + " has a view that reaches beyond its storage of " + elements + " elements");
            }
            firstElement = first;
            available = length;
        }
        if (dtypeOfView == null || dtypeOfView.bytes() == stored.bytes()) {
            return new TypedStorage(storage, dtypeOfView == null ? stored : dtypeOfView, firstElement, available);
        }
        if (firstElement != 0) {
            throw corrupt(quoted + " has a view of raw bytes");
        }
        return new TypedStorage(storage, dtypeOfView, 0, available * stored.bytes() / dtypeOfView.bytes());
    }

    private WeightsException corrupt(String detail) {
        return new WeightsException(Kind.CORRUPT, path, offset, detail);
    }
}
