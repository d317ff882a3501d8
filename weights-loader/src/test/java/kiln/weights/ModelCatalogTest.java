package kiln.weights;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ModelCatalogTest {
    @TempDir
    Path temporary;

    private Path folder;
    private ModelHashes hashes;

    @BeforeEach
    void makeFolders() throws IOException {
        folder = Files.createDirectories(temporary.resolve("models"));
        hashes = new ModelHashes(temporary.resolve("cache"));
    }

    private Path model(String name) throws IOException {
        Path path = folder.resolve(name);
        Files.createDirectories(path.getParent());
        return Files.writeString(path, name);
    }

    private ModelCatalog scan(Path... paths) {
        return ModelCatalog.scan(List.of(paths), hashes);
    }

    private List<String> names(ModelCatalog catalog) {
        return catalog.models().stream().map(ModelCatalog.Model::name).toList();
    }

    @Test
    void checkpointsOfAllFoldersAreListedInNaturalOrderWithoutVaesAndOthers() throws IOException {
        for (String name : new String[] {"v10.ckpt", "v2.safetensors", "V3.CKPT", "sub/deep/a.ckpt", "v2.vae.ckpt", "v2.vae.safetensors",
            "notes.txt", "v2.yaml", "embedding.pt", "v02.ckpt"}) {
            model(name);
        }
        assertThat(names(scan(folder))).containsExactly("sub/deep/a.ckpt", "v02.ckpt", "v2.safetensors", "V3.CKPT", "v10.ckpt");
    }

    @Test
    void aFileGivenByItselfIsTakenWhateverItsName() throws IOException {
        assertThat(names(scan(model("x/odd.name"), temporary.resolve("missing.ckpt"), temporary.resolve("missing"))))
                .containsExactly("odd.name");
    }

    @Test
    void linksAreFollowedWithoutGoingInCirclesOrListingAFileTwice() throws IOException {
        model("real/a.ckpt");
        Path elsewhere = Files.createDirectories(temporary.resolve("elsewhere"));
        Files.writeString(elsewhere.resolve("b.ckpt"), "b");
        Files.createSymbolicLink(folder.resolve("loop"), folder);
        Files.createSymbolicLink(folder.resolve("real/up"), folder);
        Files.createSymbolicLink(folder.resolve("outside"), elsewhere);
        Files.createSymbolicLink(folder.resolve("again"), elsewhere);
        Files.createSymbolicLink(folder.resolve("z-link.ckpt"), folder.resolve("real/a.ckpt"));
        Files.createSymbolicLink(folder.resolve("broken.ckpt"), folder.resolve("none"));
        assertThat(scan(folder, folder).models()).hasSize(2).extracting(m -> m.path().getFileName().toString())
                .containsExactlyInAnyOrder("a.ckpt", "b.ckpt");
    }

    @Test
    void theTitleHasTheHashOnceItIsKnown() throws IOException {
        Path path = model("sub/a.ckpt");
        ModelCatalog catalog = scan(folder);
        ModelCatalog.Model model = catalog.models().get(0);
        assertThat(catalog.title(model)).isEqualTo("sub/a.ckpt");
        String shortHash = ModelHashes.shortHash(hashes.sha256(path));
        assertThat(catalog.title(model)).isEqualTo("sub/a.ckpt [" + shortHash + "]");
    }

    @Test
    void aModelIsFoundByEachOfItsNamesAndHashes() throws IOException {
        Path path = model("sub/my model v1.5.ckpt");
        model("other.safetensors");
        ModelCatalog catalog = scan(folder);
        for (String request : new String[] {"sub/my model v1.5.ckpt", "my model v1.5.ckpt", "my model v1.5", " my model v1.5 ", path.toString(),
            "model v1", "my model v1.5 [0123456789]", "my model v1.5.ckpt [81761151]"}) {
            assertThat(catalog.find(request)).as(request).map(ModelCatalog.Model::path).contains(path);
        }
        String sha256 = hashes.sha256(path);
        String shortHash = ModelHashes.shortHash(sha256);
        for (String request : new String[] {sha256, shortHash, sha256.toUpperCase(), "sub/my model v1.5.ckpt [" + shortHash + "]",
            "my model v1.5 [" + shortHash + "]"}) {
            assertThat(catalog.find(request)).as(request).map(ModelCatalog.Model::path).contains(path);
        }
        assertThat(catalog.find("nothing like it")).isEmpty();
        assertThat(catalog.find("  ")).isEmpty();
        assertThat(catalog.find("[0123456789]")).isEmpty();
    }

    @Test
    void theLegacyHashFindsAModelToo() throws IOException {
        byte[] large = new byte[0x110000];
        large[0x100000] = 1;
        Files.write(folder.resolve("old.ckpt"), large);
        model("small.ckpt");
        String legacy = ModelHashes.legacyHash(folder.resolve("old.ckpt"));
        assertThat(scan(folder).find(legacy)).map(ModelCatalog.Model::name).contains("old.ckpt");
    }

    @Test
    void anExactNameWinsOverAShorterTitleAndTheShortestTitleOverLongerOnes() throws IOException {
        model("anything-v3-pruned.ckpt");
        model("anything-v3.ckpt");
        model("x/anything-v3-inpainting.ckpt");
        ModelCatalog catalog = scan(folder);
        assertThat(catalog.find("anything")).map(ModelCatalog.Model::name).contains("anything-v3.ckpt");
        assertThat(catalog.find("anything-v3-pruned")).map(ModelCatalog.Model::name).contains("anything-v3-pruned.ckpt");
    }

    @Test
    void aFolderOfTheDiffusersLibraryIsOneModelAndNothingInsideItIsAnother() throws IOException {
        model("sub/sd-v1.5/model_index.json");
        model("sub/sd-v1.5/unet/diffusion_pytorch_model.safetensors");
        model("sub/sd-v1.5/vae/diffusion_pytorch_model.safetensors");
        model("a.ckpt");
        ModelCatalog catalog = scan(folder);
        assertThat(names(catalog)).containsExactly("a.ckpt", "sub/sd-v1.5");
        assertThat(catalog.models().get(1).stem()).isEqualTo("sd-v1.5");
        assertThat(catalog.models().get(1).bytes()).isEqualTo("sub/sd-v1.5/unet/diffusion_pytorch_model.safetensors".length()
                + "sub/sd-v1.5/vae/diffusion_pytorch_model.safetensors".length());
        assertThat(names(scan(folder.resolve("sub/sd-v1.5")))).containsExactly("sd-v1.5");
        assertThat(catalog.find("sd-v1.5")).map(ModelCatalog.Model::path).contains(folder.resolve("sub/sd-v1.5"));
    }

    @Test
    void aTitleWithTheOlderHashMeansThatFileOnly() throws IOException {
        byte[] large = new byte[0x110000];
        large[0x100000] = 1;
        model("sub/old.ckpt");
        Files.write(folder.resolve("sub/old.ckpt"), large);
        model("sub/old.ckpt.more.ckpt");
        String legacy = ModelHashes.legacyHash(folder.resolve("sub/old.ckpt"));
        for (String request : new String[] {"sub/old.ckpt [" + legacy + "]", "old [" + legacy.toUpperCase() + "]", "sub_old"}) {
            assertThat(scan(folder).find(request)).as(request).map(ModelCatalog.Model::name).contains("sub/old.ckpt");
        }
    }

    @Test
    void vaesAreFoundBesideCheckpointsAndInTheirOwnFoldersTheLastOfANameCounting() throws IOException {
        model("m.ckpt");
        model("m.vae.ckpt");
        model("sub/n10.vae.safetensors");
        model("sub/n2.VAE.PT");
        model("sub/plain.pt");
        Path own = Files.createDirectories(temporary.resolve("VAE"));
        for (String name : new String[] {"plain.pt", "m.vae.ckpt", "notes.txt", "deep/x.safetensors"}) {
            Files.createDirectories(own.resolve(name).getParent());
            Files.writeString(own.resolve(name), name);
        }
        Path alone = Files.writeString(Files.createDirectories(temporary.resolve("alone")).resolve("z.ckpt"), "z");
        Files.writeString(alone.resolveSibling("z.vae.pt"), "z");
        Files.writeString(Files.createDirectories(alone.resolveSibling("below")).resolve("y.vae.pt"), "y");
        assertThat(ModelCatalog.vaes(List.of(alone), List.of(folder), List.of(own, temporary.resolve("none"))))
                .extracting(ModelCatalog.Model::path)
                .containsExactly(own.resolve("m.vae.ckpt"), folder.resolve("sub/n2.VAE.PT"), folder.resolve("sub/n10.vae.safetensors"),
                        own.resolve("plain.pt"), own.resolve("deep/x.safetensors"), alone.resolveSibling("z.vae.pt"));
    }
}
