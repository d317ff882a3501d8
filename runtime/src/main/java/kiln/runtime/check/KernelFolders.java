package kiln.runtime.check;

import java.io.IOException;
import java.nio.file.Path;
import kiln.kernels.cases.KernelFiles;
import kiln.runtime.base.KilnException;
import kiln.runtime.base.KilnException.Category;

/** Writes the CUDA kernels into folders, for other programs; no card is needed. */
public final class KernelFolders {
    private KernelFolders() {}

    /**
     * Writes every variant's PTX, a file each.
     *
     * @return how many
     * @throws KilnException STORAGE when the folder cannot be written to
     */
    public static int writeTexts(Path folder) {
        return write(folder, to -> KernelFiles.dump(ProvenKernels.all(), to));
    }

    /**
     * Writes a folder for every case: {@code case.json}, PTX and raw buffers.
     *
     * @return how many
     * @throws KilnException STORAGE when the folder cannot be written to
     */
    public static int writeCases(Path folder) {
        return write(folder, to -> KernelFiles.writeCases(ProvenKernels.all(), to));
    }

    private interface Writer {
        int write(Path folder) throws IOException;
    }

    private static int write(Path folder, Writer writer) {
        try {
            return writer.write(folder);
        } catch (IOException e) {
            throw new KilnException(Category.STORAGE, "cannot write to " + folder + " (" + e.getMessage() + "): name another folder", e);
        }
    }
}
