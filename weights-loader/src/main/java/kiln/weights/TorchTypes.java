package kiln.weights;

import kiln.weights.pickle.Inert;

/** Torch's names of number formats, as they stand in pickles. */
final class TorchTypes {
    /** How the names of the functions begin that make tensors. */
    static final String REBUILD = "torch._utils._rebuild_";

    private TorchTypes() {}

    /**
     * Whether a name in a pickle belongs to plain weights: tensors, their storages, number formats and containers, and the few others that A1111
     * allows in a checkpoint.
     */
    static boolean isPlain(String qualifiedName) {
        if (storageElementBytes(qualifiedName) > 0 || qualifiedName.startsWith(REBUILD)) {
            return true;
        }
        return switch (qualifiedName) {
            case "collections.OrderedDict", "collections.defaultdict", "__builtin__.set", "builtins.set", "__builtin__.dict", "builtins.dict",
                    "torch.Size", "torch.device", "torch.Tensor", "torch.nn.parameter.Parameter", "torch.nn.modules.container.ParameterDict",
                    "torch._tensor._rebuild_from_type_v2", "torch._tensor._rebuild_from_type", "torch.tensor._rebuild_from_type_v2",
                    "torch.tensor._rebuild_from_type", "torch.storage.TypedStorage", "torch.storage._TypedStorage",
                    "numpy.core.multiarray.scalar", "numpy.core.multiarray._reconstruct", "numpy._core.multiarray.scalar",
                    "numpy._core.multiarray._reconstruct", "numpy.dtype", "numpy.ndarray", "_codecs.encode",
                    "pytorch_lightning.callbacks.ModelCheckpoint", "pytorch_lightning.callbacks.model_checkpoint.ModelCheckpoint" -> true;
            default -> dtype(qualifiedName) != null;
        };
    }

    /** The format of a storage class; null when safetensors has no name for it. */
    static DType storageDType(String qualifiedName) {
        return switch (withoutDevice(qualifiedName)) {
            case "torch.FloatStorage" -> DType.F32;
            case "torch.HalfStorage" -> DType.F16;
            case "torch.BFloat16Storage" -> DType.BF16;
            case "torch.DoubleStorage" -> DType.F64;
            case "torch.LongStorage" -> DType.I64;
            case "torch.IntStorage" -> DType.I32;
            case "torch.ShortStorage" -> DType.I16;
            case "torch.CharStorage" -> DType.I8;
            case "torch.ByteStorage", "torch.UntypedStorage", "torch.storage.UntypedStorage",
                    "torch.storage._UntypedStorage" -> DType.U8;
            case "torch.BoolStorage" -> DType.BOOL;
            case "torch.ComplexFloatStorage" -> DType.C64;
            default -> null;
        };
    }

    /** Bytes of one element of a storage class, also of those that {@link #storageDType} lacks; 0 when there is no such class. */
    static int storageElementBytes(String qualifiedName) {
        DType dtype = storageDType(qualifiedName);
        if (dtype != null) {
            return dtype.bytes();
        }
        return switch (withoutDevice(qualifiedName)) {
            case "torch.ComplexDoubleStorage" -> 16;
            case "torch.QInt32Storage" -> 4;
            case "torch.QInt8Storage", "torch.QUInt8Storage", "torch.QUInt4x2Storage", "torch.QUInt2x4Storage" -> 1;
            default -> 0;
        };
    }

    private static String withoutDevice(String qualifiedName) {
        return qualifiedName.startsWith("torch.cuda.") ? "torch." + qualifiedName.substring("torch.cuda.".length()) : qualifiedName;
    }

    /** The format that a {@code torch.dtype} constant names; null when safetensors has no name for it. */
    static DType dtype(Object value) {
        return value instanceof Inert.Global global ? dtype(global.qualifiedName()) : null;
    }

    private static DType dtype(String qualifiedName) {
        return switch (qualifiedName) {
            case "torch.float32" -> DType.F32;
            case "torch.float16" -> DType.F16;
            case "torch.bfloat16" -> DType.BF16;
            case "torch.float64" -> DType.F64;
            case "torch.int64" -> DType.I64;
            case "torch.int32" -> DType.I32;
            case "torch.int16" -> DType.I16;
            case "torch.int8" -> DType.I8;
            case "torch.uint8" -> DType.U8;
            case "torch.uint16" -> DType.U16;
            case "torch.uint32" -> DType.U32;
            case "torch.uint64" -> DType.U64;
            case "torch.bool" -> DType.BOOL;
            case "torch.complex64" -> DType.C64;
            case "torch.float8_e4m3fn" -> DType.F8_E4M3;
            case "torch.float8_e5m2" -> DType.F8_E5M2;
            case "torch.float8_e4m3fnuz" -> DType.F8_E4M3FNUZ;
            case "torch.float8_e5m2fnuz" -> DType.F8_E5M2FNUZ;
            case "torch.float8_e8m0fnu" -> DType.F8_E8M0;
            default -> null;
        };
    }
}
