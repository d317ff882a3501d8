package kiln.runtime.store;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assumptions.assumeThat;

import java.io.IOException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Clock;
import java.time.Instant;
import java.time.ZoneOffset;
import java.time.ZonedDateTime;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.stream.Stream;
import kiln.runtime.base.KilnException;
import kiln.runtime.image.Picture;
import kiln.runtime.image.PictureEncoding;
import kiln.runtime.image.PictureFormat;
import kiln.runtime.image.PictureReader;
import kiln.runtime.image.PngReader;
import kiln.runtime.job.GenerationRequest;
import kiln.runtime.job.InfoText;
import kiln.runtime.job.InfoTextWriter;
import kiln.runtime.job.SaveOptions;
import kiln.runtime.store.PictureFiles.Place;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class PictureFilesTest {
    private static final Clock NOON = Clock.fixed(Instant.parse("2026-11-24T12:34:56Z"), ZoneOffset.UTC);
    private static final Picture PICTURE = new Picture(2, 1, new byte[] {1, 2, 3, 4, 5, 6});
    private static final InfoText TEXT = InfoTextWriter.write(
            GenerationRequest.builder().prompt("a red/blue cat, sitting").negativePrompt("ugly").steps(12).cfgScale(7.5).width(512)
                    .height(768).clipSkip(2).build(),
            42, 0, new InfoTextWriter.Model("dream", "0123456789", null, null), Map.of(), "1");

    @TempDir Path folder;

    private PictureFiles files(String folderPattern, String namePattern) {
        return new PictureFiles(folder, SaveOptions.USUAL.withPatterns(folderPattern, namePattern), NOON);
    }

    @Test
    void defaultsGiveA1111sFoldersAndNames() {
        PictureFiles files = new PictureFiles(folder.resolve("txt2img-images"), SaveOptions.USUAL, NOON);
        assertThat(files.save(PICTURE, TEXT, PictureEncoding.PNG, false, Place.ALONE)).isEqualTo(folder.resolve("txt2img-images/2026-11-24/00000-42.png"));
        Path second = files.save(PICTURE, TEXT, PictureEncoding.PNG, false, Place.ALONE);
        assertThat(second).isEqualTo(folder.resolve("txt2img-images/2026-11-24/00001-42.png"));
        assertThat(PngReader.readPicture(second).rgb()).isEqualTo(PICTURE.rgb());
        assertThat(InfoText.parse(PngReader.readTexts(second).get("parameters"))).isEqualTo(TEXT);
    }

    @Test
    void otherFormatsHaveTheirEndingsAndTextsLieBesideThem() throws IOException {
        PictureEncoding webp = new PictureEncoding(PictureFormat.WEBP, 80, true);
        Path file = files("", "[seed]").save(PICTURE, TEXT, webp, true, Place.ALONE);
        assertThat(file).isEqualTo(folder.resolve("00000-42.webp"));
        assertThat(PictureReader.read(file).picture().rgb()).isEqualTo(PICTURE.rgb());
        assertThat(folder.resolve("00000-42.txt")).hasContent(TEXT.format() + "\n");
        assertThat(files("", "[seed]").save(PICTURE, TEXT, webp.as(PictureFormat.JPEG), false, Place.ALONE)).isEqualTo(folder.resolve("00001-42.jpg"));
    }

    @Test
    void numbersGoOnFromTheHighest() throws IOException {
        for (String name : List.of("00007-1.png", "00041-5.jpg", "notes.txt", "123-7.png", "20261124123456-9.png", "00050x.png")) {
            Files.createFile(folder.resolve(name));
        }
        assertThat(files("", "[seed]").save(PICTURE, TEXT, PictureEncoding.PNG, false, Place.ALONE)).isEqualTo(folder.resolve("00042-42.png"));
    }

    @Test
    void numbersGrowBeyondFiveDigits() throws IOException {
        Files.createFile(folder.resolve("99999-1.png"));
        assertThat(files("", "[none]").save(PICTURE, TEXT, PictureEncoding.PNG, false, Place.ALONE)).isEqualTo(folder.resolve("100000.png"));
        assertThat(files("", "[none]").save(PICTURE, TEXT, PictureEncoding.PNG, false, Place.ALONE)).isEqualTo(folder.resolve("100001.png"));
    }

    @ParameterizedTest
    @CsvSource(delimiter = ';', value = {
        "[seed]-[prompt_spaces]; 42-a red_blue cat, sitting",
        "[prompt]; a_red_blue_cat,_sitting",
        "[prompt_words]; a red blue cat sitting",
        "[SEED] [steps] [cfg] [width]x[height]; 42 12 7.5 2x1",
        "[model_name]-[model_hash]-[sampler]-[scheduler]; dream-0123456789-Euler a-Automatic",
        "[sampler_scheduler] [clip_skip]; Euler a Automatic 2",
        "[date] [datetime]; 2026-11-24 20261124123456",
        "[datetime<%H_%M><Asia/Tokyo>]; 21_34",
        "[datetime<%d %b %y %%>]; 24 Nov 26 %",
        "[prompt_hash<4>][none]; 15dc",
        "[unknown] [denoising]; [unknown]",
        "../../etc/[seed]. . ; .._.._etc_42",
        "a:b*c?d|e\"f; a_b_c_d_e_f",
        "nul; _nul",
        "[seed]-[batch_number]-[seed_last]-[generation_number]; 42",
        "[seed_first] [batch_size] [vae_filename] [styles]; 42 1 NoneType None",
        "[hasprompt<CAT><dog|nodog><fox>]; catnodog",
        "[negative_prompt_hash<6>] [full_prompt_hash]; 72de27 be5ed1de",
        "[image_hash<8>] [job_timestamp]; 7192385c 20261124123456",
        "x[unknown<1>]y; x[unknown_1_]y",
    })
    void patternsAreFilled(String pattern, String expected) {
        assertThat(filled(pattern, TEXT, Place.ALONE, SaveOptions.USUAL)).isEqualTo(expected);
    }

    private static String filled(String pattern, InfoText text, Place place, SaveOptions options) {
        ZonedDateTime now = NOON.instant().atZone(ZoneOffset.UTC);
        NameFacts facts = new NameFacts(text, place.index(), place.batchSize(), place.pictures(), place.firstSeed(), PICTURE, now, now);
        return new FileNamePattern(pattern, options).fill(facts);
    }

    @Test
    void picturesOfABatchAreCounted() {
        Place second = new Place(3, 2, 6, 42);
        assertThat(filled("[seed]_[batch_number]_[generation_number]_[seed_first]_[seed_last]", TEXT, second, SaveOptions.USUAL))
                .isEqualTo("42_2_4_42_47");
    }

    @Test
    void unixTakesAllButSlashes() {
        SaveOptions unix = SaveOptions.USUAL.withLimits(true, 6);
        assertThat(filled("a:b?/[prompt_spaces]", TEXT, Place.ALONE, unix)).isEqualTo("a:b?_a red_");
    }

    @Test
    void namesWithoutNumbersNeverReplaceAnother() {
        PictureFiles files = new PictureFiles(
                folder, SaveOptions.of(Map.of("save_images_add_number", false, "samples_filename_pattern", "[seed]", "save_to_dirs", false)), NOON);
        assertThat(files.save(PICTURE, TEXT, PictureEncoding.PNG, false, Place.ALONE)).isEqualTo(folder.resolve("42.png"));
        assertThat(files.save(PICTURE, TEXT, PictureEncoding.PNG, false, Place.ALONE)).isEqualTo(folder.resolve("42-1.png"));
    }

    @Test
    void gridsAreCountedOnTheirOwn() throws IOException {
        PictureFiles files = new PictureFiles(folder, SaveOptions.USUAL, NOON);
        assertThat(files.saveGrid("grid", PICTURE, TEXT)).isEqualTo(folder.resolve("2026-11-24/grid-0000.png"));
        assertThat(files.saveGrid("xyz_grid", PICTURE, TEXT)).isEqualTo(folder.resolve("2026-11-24/xyz_grid-0000.png"));
        assertThat(files.saveGrid("grid", PICTURE, TEXT)).isEqualTo(folder.resolve("2026-11-24/grid-0001.png"));
        PictureFiles extended = new PictureFiles(
                folder, SaveOptions.of(Map.of("grid_extended_filename", true, "grid_save_to_dirs", false)), NOON);
        assertThat(extended.saveGrid("grid", PICTURE, TEXT)).isEqualTo(folder.resolve("grid-0000-42.png"));
    }

    @Test
    void aWebUisOptionsDecideNames() {
        SaveOptions flat = SaveOptions.of(Map.of("save_to_dirs", false, "grid_background_color", "#123", "n_rows", 2L, "grid_save", "yes"));
        assertThat(flat.names()).isEqualTo("[seed]-[prompt_spaces]");
        assertThat(flat.gridBackground()).isEqualTo(0x112233);
        assertThat(flat.gridRows()).isEqualTo(2);
        assertThat(flat.grid()).isTrue();
        assertThat(SaveOptions.of(Map.of("directories_filename_pattern", "")).folderPattern()).isEqualTo("[prompt_words]");
    }

    @Test
    void foldersMayLieInEachOtherButNeverOutside() {
        assertThat(files("[model_name]/[date]", "[seed]").save(PICTURE, TEXT, PictureEncoding.PNG, false, Place.ALONE).getParent()).isEqualTo(folder.resolve("dream/2026-11-24"));
        assertThat(files("../../x", "[seed]").save(PICTURE, TEXT, PictureEncoding.PNG, false, Place.ALONE).getParent()).isEqualTo(folder.resolve("x"));
        assertThat(files("[datetime<%Y/%m>]", "[seed]").save(PICTURE, TEXT, PictureEncoding.PNG, false, Place.ALONE).getParent()).isEqualTo(folder.resolve("2026_11"));
    }

    @Test
    void longPromptsAreCutToWhatFileSystemsTake() {
        for (String letter : List.of("x", "é", "猫", "🐈")) {
            InfoText text = new InfoText(letter.repeat(5000), "", TEXT.parameters());
            Path file = files("", "[seed]-[prompt_spaces]-[prompt]").save(PICTURE, text, PictureEncoding.PNG, false, Place.ALONE);
            assertThat(file).isRegularFile();
        }
    }

    @Test
    void manyAtOnceGetDifferentNumbersAndLeaveNothingElse() throws Exception {
        int savers = 8;
        int each = 12;
        ExecutorService pool = Executors.newFixedThreadPool(savers);
        try {
            List<Callable<List<Path>>> tasks = new ArrayList<>();
            for (int s = 0; s < savers; s++) {
                // Objects of their own, as processes have.
                PictureFiles files = files("", s % 2 == 0 ? "[seed]" : "[none]");
                tasks.add(() -> {
                    List<Path> saved = new ArrayList<>();
                    for (int i = 0; i < each; i++) {
                        saved.add(files.save(PICTURE, TEXT, PictureEncoding.PNG, false, Place.ALONE));
                    }
                    return saved;
                });
            }
            Set<String> numbers = new HashSet<>();
            for (Future<List<Path>> done : pool.invokeAll(tasks)) {
                for (Path file : done.get()) {
                    assertThat(numbers.add(file.getFileName().toString().substring(0, 5))).as("%s is new", file).isTrue();
                    assertThat(PngReader.readPicture(file).rgb()).isEqualTo(PICTURE.rgb());
                }
            }
            assertThat(numbers).hasSize(savers * each);
        } finally {
            pool.shutdown();
        }
        try (Stream<Path> left = Files.list(folder)) {
            assertThat(left).hasSize(savers * each);
        }
    }

    @Test
    void aFolderThatCannotBeWrittenToIsNamedWithAdvice() throws IOException {
        Path locked = Files.createDirectory(folder.resolve("locked"));
        Files.setPosixFilePermissions(locked, PosixFilePermissions.fromString("r-xr-xr-x"));
        assumeThat(Files.isWritable(locked)).as("the superuser may write anywhere").isFalse();
        assertThatThrownBy(() -> new PictureFiles(locked, SaveOptions.USUAL.withPatterns("", ""), NOON).save(PICTURE, TEXT, PictureEncoding.PNG, false, Place.ALONE))
                .isInstanceOfSatisfying(KilnException.class, e -> assertThat(e.category()).isEqualTo(KilnException.Category.STORAGE))
                .hasMessageContaining("locked").hasMessageContaining("permissions");
    }

    @Test
    void aFileInAFoldersPlaceIsNamedWithAdvice() throws IOException {
        Path file = Files.createFile(folder.resolve("file"));
        for (String below : List.of("", "deeper")) {
            assertThatThrownBy(() -> new PictureFiles(file, SaveOptions.USUAL.withPatterns(below, ""), NOON).save(PICTURE, TEXT, PictureEncoding.PNG, false, Place.ALONE))
                    .isInstanceOfSatisfying(KilnException.class, e -> assertThat(e.category()).isEqualTo(KilnException.Category.STORAGE))
                    .hasMessageContaining(file.toString()).hasMessageContaining("another output folder");
        }
    }

    @Test
    void aFullDiskIsSaidToBeFull() {
        KilnException e = Storage.failure(folder, "the picture cannot be saved", new IOException("No space left on device"));
        assertThat(e.getMessage()).contains(folder.toString()).contains("the disk is full").doesNotContain("\n");
        assertThat(e.category().exitCode()).isEqualTo(7);
    }

    @Test
    void anOthersFileIsNeverReplaced() throws IOException {
        Path temporary = Files.writeString(folder.resolve("mine.tmp"), "mine");
        Path taken = Files.writeString(folder.resolve("taken.png"), "other");
        assertThatThrownBy(() -> Storage.publish(temporary, taken)).isInstanceOf(FileAlreadyExistsException.class);
        assertThat(taken).hasContent("other");
        Storage.publish(temporary, folder.resolve("free.png"));
        assertThat(folder.resolve("free.png")).hasContent("mine");
        assertThat(temporary).doesNotExist();
    }

    @Test
    void latentsAreKeptWithTheirText() throws IOException {
        float[] values = new float[4 * 3 * 2];
        for (int i = 0; i < values.length; i++) {
            values[i] = i / 7f - 1;
        }
        LatentFile latent = new LatentFile(values, 3, 2, TEXT.format());
        Path first = files("[date]", "[seed]").saveLatent(latent, TEXT);
        Path second = files("[date]", "[seed]").saveLatent(latent, TEXT);
        assertThat(first).isEqualTo(folder.resolve("2026-11-24/latent-42.safetensors"));
        assertThat(second).isEqualTo(folder.resolve("2026-11-24/latent-42-1.safetensors"));
        LatentFile back = LatentFile.load(second);
        assertThat(back.values()).isEqualTo(values);
        assertThat(back.height()).isEqualTo(3);
        assertThat(back.width()).isEqualTo(2);
        assertThat(back.infoText()).isEqualTo(TEXT.format());
        try (Stream<Path> left = Files.list(first.getParent())) {
            assertThat(left).hasSize(2);
        }
    }

    @Test
    void damagedLatentsAreRefused() throws IOException {
        Path good = files("", "[none]").saveLatent(new LatentFile(new float[16], 2, 2, ""), TEXT);
        byte[] bytes = Files.readAllBytes(good);
        for (int length = 0; length < bytes.length; length++) {
            Path cut = Files.write(folder.resolve("cut.safetensors"), Arrays.copyOf(bytes, length));
            assertThatThrownBy(() -> LatentFile.load(cut))
                    .isInstanceOfSatisfying(
                            KilnException.class, e -> assertThat(e.category()).isEqualTo(KilnException.Category.CORRUPT_FILE));
        }
        Path longer = Files.write(folder.resolve("longer.safetensors"), Arrays.copyOf(bytes, bytes.length + 1));
        assertThatThrownBy(() -> LatentFile.load(longer)).isInstanceOf(KilnException.class);
        assertThatThrownBy(() -> LatentFile.load(folder.resolve("none")))
                .isInstanceOf(KilnException.class)
                .hasMessageContaining("no such file");
    }
}
