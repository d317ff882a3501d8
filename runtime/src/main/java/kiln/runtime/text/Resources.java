package kiln.runtime.text;

import java.io.BufferedInputStream;
import java.io.DataInputStream;
import java.io.FileNotFoundException;
import java.io.IOException;
import java.io.InputStream;
import java.util.zip.GZIPInputStream;
import kiln.runtime.base.KilnException;

/** The tables that ship beside these classes. */
final class Resources {
    private Resources() {}

    static DataInputStream open(String name) throws IOException {
        InputStream in = Resources.class.getResourceAsStream(name);
        if (in == null) {
            throw new FileNotFoundException(name);
        }
        return new DataInputStream(new BufferedInputStream(name.endsWith(".gz") ? new GZIPInputStream(in) : in, 1 << 16));
    }

    static KilnException broken(String name, IOException cause) {
        return new KilnException(
                KilnException.Category.INTERNAL,
                "Kiln's own file kiln/runtime/text/" + name + " is missing or damaged: install or build Kiln again",
                cause);
    }
}
