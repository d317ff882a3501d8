package kiln.runtime.pipeline;

import java.util.Arrays;
import java.util.function.Consumer;
import kiln.runtime.base.KilnException;
import kiln.runtime.image.Box;
import kiln.runtime.image.DecodedPicture;
import kiln.runtime.image.GaussianBlur;
import kiln.runtime.image.GreyPicture;
import kiln.runtime.image.Layer;
import kiln.runtime.image.Picture;
import kiln.runtime.image.PictureReader;
import kiln.runtime.image.PictureResize;
import kiln.runtime.job.GenerationRequest;
import kiln.runtime.job.InitPicture;
import kiln.runtime.job.InitPicture.ResizeMode;
import kiln.runtime.job.Mask;
import kiln.runtime.job.Mask.Fill;
import kiln.runtime.job.Outpainting;

/**
 * A request's picture and mask from their files to what is encoded, step by step as A1111 does it.
 *
 * @param picture of the request's size, the mask's place filled
 * @param mask of the same size, white where it changes; {@code null} where all does
 * @param overlay what is laid over what was drawn; {@code null} for nothing
 */
record PreparedPicture(Picture picture, GreyPicture mask, Overlay overlay) {
    private static final int WHITE_ABOVE = 128;

    /**
     * What stays of the original.
     *
     * @param original without the mask's place, in the finished picture's size
     * @param place where in it the drawn picture belongs
     */
    record Overlay(Layer original, Box place) {
        /** The finished picture. */
        Picture over(Picture drawn) {
            return original.over(PictureResize.cropped(drawn, place.width(), place.height()), place);
        }
    }

    /** @param notices what a person should know of the mask */
    static PreparedPicture of(GenerationRequest request, Consumer<String> notices) {
        InitPicture init = request.init();
        DecodedPicture read = PictureReader.read(init.file());
        Picture picture = read.over(request.settings().background());
        Mask asked = init.mask();
        if (asked == null) {
            return new PreparedPicture(sized(picture, request), null, null);
        }
        if (asked.outpainting() != null) {
            return outpainted(picture, asked, request);
        }
        GreyPicture mask = asked.file() == null ? transparency(init, read) : brightness(PictureReader.read(asked.file()), asked.soft());
        if (asked.inverted()) {
            mask = mask.inverted();
        }
        if (asked.onlyMasked() && (mask.width() != picture.width() || mask.height() != picture.height())) {
            mask = GreyPicture.luminance(PictureResize.lanczos(mask.picture(), picture.width(), picture.height()));
        }
        mask = GaussianBlur.blurred(mask, asked.blur());
        Box bounds = mask.bounds();
        if (bounds != null) {
            return asked.onlyMasked() ? onlyMasked(picture, mask, bounds, request) : whole(picture, mask, request);
        }
        notices.accept("the mask is blank: " + (asked.onlyMasked() ? "the whole picture is drawn" : "the picture stays as it is"));
        return asked.onlyMasked() ? new PreparedPicture(sized(picture, request), null, null) : whole(picture, mask, request);
    }

    /** The picture in its new place, its surroundings black; it is kept but for a rim as wide as the blur, its latent but for a quarter. */
    private static PreparedPicture outpainted(Picture picture, Mask asked, GenerationRequest request) {
        Outpainting.Place place = asked.outpainting().place(picture.width(), picture.height());
        byte[] rgb = new byte[3 * place.width() * place.height()];
        for (int y = 0; y < picture.height(); y++) {
            int to = 3 * ((place.top() + y) * place.width() + place.left());
            System.arraycopy(picture.rgb(), 3 * y * picture.width(), rgb, to, 3 * picture.width());
        }
        Picture sized = sized(new Picture(place.width(), place.height(), rgb), request);
        GreyPicture mask = around(picture, place, asked.blur());
        GreyPicture overlay = GreyPicture.luminance(sized(GaussianBlur.blurred(mask, asked.blur()).picture(), request)).doubled();
        GreyPicture latent = GreyPicture.luminance(sized(around(picture, place, asked.blur() / 4).picture(), request));
        Box whole = new Box(0, 0, sized.width(), sized.height());
        return filled(sized, latent, new Overlay(Layer.unmasked(sized, overlay), whole), request);
    }

    /** White but for the picture without so many pixels towards the sides that are added. */
    private static GreyPicture around(Picture picture, Outpainting.Place place, int rim) {
        int right = place.width() - place.left() - picture.width();
        int down = place.height() - place.top() - picture.height();
        int left = place.left() + (place.left() > 0 ? rim : 0);
        int top = place.top() + (place.top() > 0 ? rim : 0);
        // The last row and column belong to the rectangle that A1111 draws.
        int end = Math.min(place.width(), place.width() - right - (right > 0 ? rim : 0) + 1);
        int bottom = Math.min(place.height(), place.height() - down - (down > 0 ? rim : 0) + 1);
        byte[] values = new byte[place.width() * place.height()];
        Arrays.fill(values, (byte) 255);
        for (int y = top; y < bottom; y++) {
            Arrays.fill(values, y * place.width() + left, y * place.width() + Math.max(left, end), (byte) 0);
        }
        return new GreyPicture(place.width(), place.height(), values);
    }

    private static PreparedPicture whole(Picture picture, GreyPicture mask, GenerationRequest request) {
        Picture sized = sized(picture, request);
        GreyPicture sizedMask = GreyPicture.luminance(sized(mask.picture(), request));
        Layer original = Layer.unmasked(sized, sizedMask.doubled());
        return filled(sized, sizedMask, new Overlay(original, new Box(0, 0, sized.width(), sized.height())), request);
    }

    private static PreparedPicture onlyMasked(Picture picture, GreyPicture mask, Box bounds, GenerationRequest request) {
        Box place = bounds.padded(request.init().mask().padding(), picture.width(), picture.height())
                .withProportions(request.width(), request.height(), picture.width(), picture.height());
        Picture part = PictureResize.filled(place.cut(picture), request.width(), request.height());
        GreyPicture partMask = GreyPicture.luminance(PictureResize.filled(place.cut(mask.picture()), request.width(), request.height()));
        return filled(part, partMask, new Overlay(Layer.unmasked(picture, mask), place), request);
    }

    private static PreparedPicture filled(Picture picture, GreyPicture mask, Overlay overlay, GenerationRequest request) {
        boolean original = request.init().mask().fill() == Fill.ORIGINAL;
        return new PreparedPicture(original ? picture : Layer.filled(picture, mask), mask, overlay);
    }

    private static Picture sized(Picture picture, GenerationRequest request) {
        return sized(picture, request.init().resize(), request.width(), request.height());
    }

    private static Picture sized(Picture picture, ResizeMode mode, int width, int height) {
        return switch (mode) {
            case CROP -> PictureResize.cropped(picture, width, height);
            case FILL -> PictureResize.filled(picture, width, height);
            case JUST_RESIZE -> PictureResize.lanczos(picture, width, height);
        };
    }

    /** White for whatever is not wholly opaque; soft masks are as white as it is transparent. */
    private static GreyPicture transparency(InitPicture init, DecodedPicture read) {
        if (read.alpha() == null) {
            throw KilnException.badRequest(init.file() + " has no transparency that could be the mask: give one with --mask FILE");
        }
        GreyPicture mask = new GreyPicture(read.picture().width(), read.picture().height(), read.alpha()).inverted();
        return init.mask().soft() ? mask : mask.brighterThan(0);
    }

    private static GreyPicture brightness(DecodedPicture read, boolean soft) {
        boolean opaque = true;
        for (int i = 0; read.alpha() != null && i < read.alpha().length; i++) {
            opaque &= read.alpha()[i] == (byte) 255;
        }
        GreyPicture mask = opaque
                ? GreyPicture.luminance(read.picture())
                : new GreyPicture(read.picture().width(), read.picture().height(), read.alpha());
        return soft ? mask : mask.brighterThan(WHITE_ABOVE);
    }

    /** For each place of a latent plane how much of it changes, 0 to 1; {@code null} without a mask. */
    float[] changing(int width, int height, boolean soft) {
        if (mask == null) {
            return null;
        }
        GreyPicture small = GreyPicture.luminance(PictureResize.bicubic(mask.picture(), width, height));
        float[] changing = new float[width * height];
        for (int i = 0; i < changing.length; i++) {
            float part = (small.values()[i] & 255) / 255f;
            changing[i] = soft ? part : (float) Math.rint(part);
        }
        return changing;
    }
}
