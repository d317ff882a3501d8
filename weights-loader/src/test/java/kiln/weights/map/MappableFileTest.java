package kiln.weights.map;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.EOFException;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.ClosedChannelException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class MappableFileTest {
    private static final int BYTES = 100_000;

    @TempDir
    Path folder;

    private Path path;

    @BeforeEach
    void writeFile() throws IOException {
        byte[] bytes = new byte[BYTES];
        for (int i = 0; i < BYTES; i++) {
            bytes[i] = (byte) (i * 31 >> 3);
        }
        path = Files.write(folder.resolve("file.bin"), bytes);
    }

    @Test
    void aPartAtAnyPlaceIsMappedAsLittleEndianBytes() throws IOException {
        byte[] whole = Files.readAllBytes(path);
        try (MappableFile file = MappableFile.open(path)) {
            for (int[] part : new int[][] {{0, BYTES}, {1, 9}, {4095, 2}, {4096, 4096}, {BYTES - 1, 1}, {70_001, 20_003}}) {
                try (MemoryRegion region = file.map(part[0], part[1])) {
                    assertThat(region.buffers()).hasSize(1);
                    ByteBuffer buffer = region.buffers().get(0);
                    assertThat(buffer.isDirect()).isTrue();
                    assertThat(buffer.isReadOnly()).isTrue();
                    assertThat(buffer.order()).isEqualTo(ByteOrder.LITTLE_ENDIAN);
                    assertThat(buffer).isEqualTo(ByteBuffer.wrap(whole, part[0], part[1]));
                }
                assertThat(file.read(part[0], part[1])).isEqualTo(java.util.Arrays.copyOfRange(whole, part[0], part[0] + part[1]));
            }
            assertThat(file.map(BYTES, 0).buffers()).isEmpty();
            assertThatThrownBy(() -> file.map(BYTES - 1, 2)).isInstanceOf(IndexOutOfBoundsException.class);
        }
    }

    @Test
    void closingARegionUnmapsItAtOnce() throws IOException {
        assertThat(MemoryRegion.reasonUnmappingIsLate()).isEmpty();
        assumeTrue(Files.isReadable(Path.of("/proc/self/maps")), "the list of mappings is Linux's");
        try (MappableFile file = MappableFile.open(path)) {
            MemoryRegion region = file.map(0, BYTES);
            assertThat(isMapped()).isTrue();
            region.close();
            assertThat(isMapped()).isFalse();
            region.close();
            assertThatThrownBy(region::buffers).isInstanceOf(IllegalStateException.class).hasMessageContaining("after close");
        }
    }

    private boolean isMapped() throws IOException {
        return Files.readString(Path.of("/proc/self/maps")).contains(path.toRealPath().toString());
    }

    @Test
    void aRegionOutlivesItsFile() throws IOException {
        MappableFile file = MappableFile.open(path);
        try (MemoryRegion region = file.map(8, 8)) {
            file.close();
            assertThat(region.buffers().get(0).remaining()).isEqualTo(8);
            assertThatThrownBy(() -> file.map(0, 1)).isInstanceOf(ClosedChannelException.class);
            assertThatThrownBy(() -> file.read(0, 1)).isInstanceOf(ClosedChannelException.class);
        }
    }

    @Test
    void anInterruptNeitherBreaksTheFileNorGetsLost() throws IOException {
        try (MappableFile file = MappableFile.open(path)) {
            Thread.currentThread().interrupt();
            file.map(0, 10).close();
            assertThat(file.read(0, 10)).hasSize(10);
            assertThat(Thread.interrupted()).isTrue();
            assertThat(file.read(0, 10)).hasSize(10);
        }
    }

    @Test
    void readersGoOnWhileAnotherOneIsInterruptedAgainAndAgain() throws Exception {
        byte[] whole = Files.readAllBytes(path);
        AtomicReference<Throwable> failure = new AtomicReference<>();
        AtomicBoolean done = new AtomicBoolean();
        try (MappableFile file = MappableFile.open(path)) {
            Thread victim = new Thread(() -> {
                try {
                    while (!done.get()) {
                        assertThat(file.read(500, 1)[0]).isEqualTo(whole[500]);
                    }
                } catch (Throwable e) {
                    failure.compareAndSet(null, e);
                }
            });
            victim.start();
            try {
                for (int i = 0; i < 2000; i++) {
                    victim.interrupt();
                    assertThat(file.read(i, 1)[0]).isEqualTo(whole[i]);
                }
            } finally {
                done.set(true);
                victim.join();
            }
        }
        assertThat(failure.get()).isNull();
    }

    @Test
    void aFileThatBecameShorterIsNotMappedBeyondItsEnd() throws IOException {
        try (MappableFile file = MappableFile.open(path); RandomAccessFile writer = new RandomAccessFile(path.toFile(), "rw")) {
            writer.setLength(1000);
            assertThatThrownBy(() -> file.map(0, 2000)).isInstanceOf(EOFException.class);
            assertThatThrownBy(() -> file.read(900, 200)).isInstanceOf(EOFException.class);
        }
    }

    @Test
    void aFileThatWasReplacedIsStillReadAsItWas() throws IOException {
        byte[] whole = Files.readAllBytes(path);
        try (MappableFile file = MappableFile.open(path)) {
            Path other = Files.write(folder.resolve("other"), new byte[BYTES]);
            Files.move(other, path, StandardCopyOption.REPLACE_EXISTING);
            assertThat(file.read(777, 1)[0]).isEqualTo(whole[777]);
        }
    }

    @Test
    void memoryOfOurOwnIsZeroWritableAndGivenBack() {
        try (MemoryRegion region = MemoryRegion.allocate(100)) {
            ByteBuffer buffer = region.buffers().get(0);
            assertThat(buffer.isDirect()).isTrue();
            assertThat(buffer.getLong(92)).isZero();
            buffer.putInt(0, 0x01020304);
            assertThat(region.buffers().get(0).get(0)).isEqualTo((byte) 4);
        }
    }
}
