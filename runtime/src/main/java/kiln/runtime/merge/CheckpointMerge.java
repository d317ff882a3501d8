package kiln.runtime.merge;

import java.io.IOException;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Deque;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;
import java.util.function.DoubleConsumer;
import java.util.function.Function;
import kiln.runtime.base.KilnException;
import kiln.runtime.base.KilnException.Category;
import kiln.runtime.family.ModelFiles;
import kiln.runtime.store.SafetensorsFile;
import kiln.weights.ModelHashes;
import kiln.weights.TensorInfo;
import kiln.weights.WeightsException;

/**
 * A1111's checkpoint merger. The files are read and the result is written piece by piece, some of them at once on all cores, so that a few pieces of
 * 2^16 elements (a core's cache holds one) are all that is held at a time.
 */
public final class CheckpointMerge {
    private static final String ENDING = ".safetensors";
    private static final int PIECE = 1 << 16;
    private static final int MOST_THREADS = 8;

    private CheckpointMerge() {}

    /** A1111's name for the result of a merge, with its ending: {@code 0.7(a) + 0.3(b).safetensors}. */
    public static String fileName(MergeRecipe recipe) {
        return MergeMetadata.name(recipe) + ENDING;
    }

    /**
     * Merges and writes a new safetensors file.
     *
     * @param hashFolder where the hashes of models are kept; {@code null} computes none, and the file does not say what it was made of
     * @param progress is told the part that is done, on this thread
     * @param cancelled is asked now and then
     * @throws KilnException in one line: files that are missing, broken, no checkpoints or do not fit each other, a name that is taken, a full disk,
     *     {@code cancelled}. Nothing is left of the result then.
     */
    public static void write(MergeRecipe recipe, Path file, Path hashFolder, DoubleConsumer progress, BooleanSupplier cancelled) {
        if (!file.getFileName().toString().endsWith(ENDING)) {
            throw KilnException.badRequest(file + ": checkpoints are written as " + ENDING + " only: give a name that ends so");
        }
        if (Files.exists(file)) {
            throw KilnException.badRequest(file + ": there is such a file already: give another name");
        }
        try (MergeInput a = MergeInput.checkpoint(recipe.primary());
                MergeInput b = open(recipe.secondary(), MergeInput::checkpoint);
                MergeInput c = open(recipe.tertiary(), MergeInput::checkpoint);
                MergeInput vae = open(recipe.vae(), MergeInput::vae)) {
            MergePlan plan = MergePlan.of(recipe, a, b, c, vae);
            List<TensorInfo> tensors = plan.tensors().stream().map(MergedTensor::info).toList();
            Function<Path, String> hashes = hashFolder == null ? null : hashes(new ModelHashes(hashFolder), cancelled);
            String name = file.getFileName().toString();
            Map<String, String> metadata = MergeMetadata.of(
                    recipe, Arrays.asList(a, b, c), hashes, name.substring(0, name.length() - ENDING.length()), plan.inputChannels());
            SafetensorsFile.save(file, tensors, metadata, out -> write(plan.tensors(), out, progress, cancelled));
        } catch (WeightsException e) {
            throw ModelFiles.failure(e);
        }
    }

    private static Function<Path, String> hashes(ModelHashes hashes, BooleanSupplier cancelled) {
        return path -> hashes.sha256(path, bytes -> requireWanted(cancelled));
    }

    private static void requireWanted(BooleanSupplier cancelled) {
        if (cancelled.getAsBoolean()) {
            throw KilnException.cancelled();
        }
    }

    private static MergeInput open(Path path, Function<Path, MergeInput> how) {
        return path == null ? null : how.apply(path);
    }

    private static void write(List<MergedTensor> tensors, OutputStream out, DoubleConsumer progress, BooleanSupplier cancelled)
            throws IOException {
        double total = Math.max(1, tensors.stream().mapToLong(tensor -> tensor.info().bytes()).sum());
        int threads = Math.min(MOST_THREADS, Runtime.getRuntime().availableProcessors());
        ExecutorService pool = Executors.newFixedThreadPool(threads, task -> {
            Thread thread = new Thread(task, "kiln-merge");
            thread.setDaemon(true);
            return thread;
        });
        try {
            Deque<Future<byte[]>> ahead = new ArrayDeque<>();
            long done = 0;
            for (Callable<byte[]> piece : pieces(tensors)) {
                if (ahead.size() == 8 * threads) {
                    done += write(ahead.remove(), out);
                    progress.accept(done / total);
                }
                requireWanted(cancelled);
                ahead.add(pool.submit(piece));
            }
            while (!ahead.isEmpty()) {
                done += write(ahead.remove(), out);
                progress.accept(done / total);
            }
        } finally {
            pool.shutdownNow();
            awaitEnd(pool);
        }
    }

    private static List<Callable<byte[]>> pieces(List<MergedTensor> tensors) {
        List<Callable<byte[]>> pieces = new ArrayList<>();
        for (MergedTensor tensor : tensors) {
            long elements = tensor.info().elements();
            if (!tensor.hasParts()) {
                if (elements > Integer.MAX_VALUE / Long.BYTES) {
                    throw new KilnException(Category.UNSUPPORTED_MODEL, tensor.a().file().path() + ": tensor " + tensor.info().name() + " has "
                            + elements + " elements and is not stored in order: too many to be put in order here");
                }
                pieces.add(() -> tensor.bytes(0, (int) elements));
                continue;
            }
            for (long first = 0; first < elements; first += PIECE) {
                long begin = first;
                pieces.add(() -> tensor.bytes(begin, (int) Math.min(PIECE, elements - begin)));
            }
        }
        return pieces;
    }

    private static int write(Future<byte[]> piece, OutputStream out) throws IOException {
        try {
            byte[] bytes = piece.get();
            out.write(bytes);
            return bytes.length;
        } catch (ExecutionException e) {
            if (e.getCause() instanceof RuntimeException failure) {
                throw failure;
            }
            throw new IllegalStateException(e.getCause());
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw KilnException.cancelled();
        }
    }

    /** The files are closed after this: no thread may read them any more. */
    private static void awaitEnd(ExecutorService pool) {
        boolean interrupted = false;
        while (!pool.isTerminated()) {
            try {
                pool.awaitTermination(1, TimeUnit.SECONDS);
            } catch (InterruptedException e) {
                interrupted = true;
            }
        }
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
    }
}
