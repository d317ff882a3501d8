package kiln.weights;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CancellationException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ModelHashesTest {
    private static final String ABC = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
    private static final String OF_NOTHING = "e3b0c442";

    @TempDir
    Path folder;

    private Path model(String content) throws IOException {
        return Files.writeString(folder.resolve("model.ckpt"), content);
    }

    @Test
    void theHashIsTheFilesSha256AndTheShortOneItsFirstTenDigits() throws IOException {
        String sha256 = new ModelHashes(folder.resolve("cache")).sha256(model("abc"));
        assertThat(sha256).isEqualTo(ABC);
        assertThat(ModelHashes.shortHash(sha256)).isEqualTo("ba7816bf8f");
    }

    @Test
    void aHashIsRememberedAcrossRunsUntilTheFileChanges() throws IOException {
        Path cache = folder.resolve("new/cache");
        Path model = model("abc");
        assertThat(new ModelHashes(cache).cachedSha256(model)).isEmpty();
        new ModelHashes(cache).sha256(model);

        List<Long> read = new ArrayList<>();
        assertThat(new ModelHashes(cache).cachedSha256(model)).contains(ABC);
        assertThat(new ModelHashes(cache).sha256(model, read::add)).isEqualTo(ABC);
        assertThat(read).isEmpty();
        try (var files = Files.list(cache)) {
            assertThat(files).extracting(Path::getFileName).extracting(Path::toString).containsExactly("hashes.json");
        }

        Files.writeString(model, "abd");
        Files.setLastModifiedTime(model, FileTime.from(Instant.parse("2022-10-06T00:00:00Z")));
        assertThat(new ModelHashes(cache).cachedSha256(model)).isEmpty();
        assertThat(new ModelHashes(cache).sha256(model, read::add)).isNotEqualTo(ABC);
        assertThat(read).containsExactly(3L);
    }

    @Test
    void twoProcessesKeepEachOthersHashes() throws IOException {
        Path cache = folder.resolve("cache");
        ModelHashes one = new ModelHashes(cache);
        ModelHashes two = new ModelHashes(cache);
        Path first = Files.writeString(folder.resolve("1"), "abc");
        Path second = Files.writeString(folder.resolve("2"), "abc");
        assertThat(two.cachedSha256(first)).isEmpty();
        one.sha256(first);
        two.sha256(second);
        assertThat(new ModelHashes(cache).cachedSha256(first)).contains(ABC);
        assertThat(new ModelHashes(cache).cachedSha256(second)).contains(ABC);
    }

    @Test
    void aBrokenOrUnusableCacheCostsTimeOnly() throws IOException {
        Path model = model("abc");
        for (String broken : new String[] {"", "{", "[1]", "{\"" + model + "\":7}", "{\"" + model + "\":{\"sha256\":\"zz\"}}"}) {
            Path cache = Files.createDirectories(folder.resolve("cache" + broken.length()));
            Files.writeString(cache.resolve("hashes.json"), broken);
            assertThat(new ModelHashes(cache).sha256(model)).isEqualTo(ABC);
            assertThat(new ModelHashes(cache).cachedSha256(model)).contains(ABC);
        }
        assertThat(new ModelHashes(model.resolve("a file is no folder")).sha256(model)).isEqualTo(ABC);
    }

    @Test
    void theLegacyHashIsOfTheBytesAfterTheFirstMebibyte() throws IOException {
        byte[] large = new byte[0x120000];
        for (int i = 0x100000; i < 0x110000; i++) {
            large[i] = 'a';
        }
        String expected = new ModelHashes(folder).sha256(Files.writeString(folder.resolve("a"), "a".repeat(0x10000)));
        assertThat(ModelHashes.legacyHash(Files.write(folder.resolve("large"), large))).isEqualTo(expected.substring(0, 8));
        assertThat(ModelHashes.legacyHash(model("abc"))).isEqualTo(OF_NOTHING);
    }

    @Test
    void theListenerEndsTheWorkByAnException() throws IOException {
        Path model = model("abc");
        ModelHashes hashes = new ModelHashes(folder.resolve("cache"));
        assertThatThrownBy(() -> hashes.sha256(model, bytes -> {
            throw new CancellationException();
        })).isInstanceOf(CancellationException.class);
        assertThat(hashes.cachedSha256(model)).isEmpty();
    }

    @Test
    void aMissingFileIsNotFound() {
        Path none = folder.resolve("none");
        assertThat(catchThrowableOfType(WeightsException.class, () -> new ModelHashes(folder).sha256(none)).kind())
                .isEqualTo(WeightsException.Kind.NOT_FOUND);
        assertThat(catchThrowableOfType(WeightsException.class, () -> ModelHashes.legacyHash(none)).kind())
                .isEqualTo(WeightsException.Kind.NOT_FOUND);
    }

    /** A safetensors file of one tensor of four bytes. */
    private Path lora(String name, String metadata) {
        String header = "{" + metadata + TestFiles.entry("a", DType.F32, "[1]", 0, 4) + "}";
        byte[] bytes = TestFiles.safetensors(header, 4);
        bytes[bytes.length - 1] = 'x';
        return TestFiles.write(folder, name, bytes);
    }

    @Test
    void aNetworkIsKnownByWhatItSaysElseByAllAfterItsHeaderElseByTheWholeFile() throws IOException {
        ModelHashes hashes = new ModelHashes(folder.resolve("cache"));
        assertThat(hashes.loraHash(lora("said", "\"__metadata__\":{\"sshs_model_hash\":\"0123456789abcdef\"},"))).contains("0123456789ab");
        Path data = Files.write(folder.resolve("data"), new byte[] {0, 0, 0, 'x'});
        Path plain = lora("plain", "");
        assertThat(hashes.loraHash(plain)).contains(hashes.sha256(data).substring(0, 12));
        assertThat(hashes.loraHash(lora("other header", "\"__metadata__\":{\"a\":\"b\"},"))).isEqualTo(hashes.loraHash(plain));
        Path old = Files.copy(Path.of("src/test/resources/weights/one-tensor.pt"), folder.resolve("old.pt"));
        assertThat(hashes.loraHash(old)).contains(hashes.sha256(old).substring(0, 12));
        assertThat(hashes.embeddingHash(old)).contains(hashes.sha256(old).substring(0, 12));
        assertThat(hashes.shortHash(old)).contains(hashes.sha256(old).substring(0, 10));
        // Both of a file's hashes are kept, and a second instance reads neither again.
        assertThat(hashes.sha256(plain)).isNotEqualTo(hashes.sha256(data));
        ModelHashes known = new ModelHashes(folder.resolve("cache"), false);
        assertThat(known.loraHash(plain)).isEqualTo(hashes.loraHash(plain));
        assertThat(known.shortHash(plain)).isEqualTo(hashes.shortHash(plain));
    }

    @Test
    void withoutReadingOnlyWhatIsKnownIsAnswered() {
        ModelHashes hashes = new ModelHashes(folder.resolve("cache"), false);
        Path plain = lora("plain", "");
        assertThat(hashes.shortHash(plain)).isEmpty();
        assertThat(hashes.embeddingHash(plain)).isEmpty();
        assertThat(hashes.loraHash(plain)).isEmpty();
        assertThat(hashes.loraHash(lora("said", "\"__metadata__\":{\"sshs_model_hash\":\"0123456789abcdef\"},"))).contains("0123456789ab");
    }
}
