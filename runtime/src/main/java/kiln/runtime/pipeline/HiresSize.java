package kiln.runtime.pipeline;

import kiln.runtime.base.KilnException;
import kiln.runtime.job.GenerationRequest;
import kiln.runtime.job.HiresPass;
import kiln.runtime.noise.LatentShape;

/**
 * How large a hires fix makes the latent, as A1111 counts: enlarged to a size of the picture's own proportions, of which the middle is kept
 * where both sides were asked for.
 *
 * @param enlargedHeight of the latent before it is cut, with {@code enlargedWidth}
 * @param cutHeight positions that the second pass does without, half of them above, with {@code cutWidth}
 */
record HiresSize(int enlargedHeight, int enlargedWidth, int cutHeight, int cutWidth) {
    HiresSize {
        int most = GenerationRequest.MAX_SIDE;
        if (enlargedHeight - cutHeight < 1 || enlargedWidth - cutWidth < 1 || enlargedHeight > most || enlargedWidth > most) {
            throw KilnException.badRequest("a hires pass of " + enlargedWidth + "x" + enlargedHeight + " latent positions is not possible");
        }
    }

    static HiresSize of(GenerationRequest request, int pixels) {
        HiresPass hires = request.hires();
        int width = hires.width();
        int height = hires.height();
        long toWidth;
        long toHeight;
        if (width == 0 && height == 0) {
            toWidth = (long) (request.width() * hires.scale());
            toHeight = (long) (request.height() * hires.scale());
        } else if (height == 0 || width != 0 && (double) request.width() / request.height() < (double) width / height) {
            toWidth = width;
            toHeight = (long) width * request.height() / request.width();
        } else {
            toWidth = (long) height * request.width() / request.height();
            toHeight = height;
        }
        boolean cut = width != 0 && height != 0;
        int most = GenerationRequest.MAX_SIDE;
        if (toWidth < pixels || toHeight < pixels || toWidth > most || toHeight > most) {
            throw KilnException.badRequest(
                    "a hires pass of " + toWidth + "x" + toHeight + " pixels: " + pixels + " to " + most + " a side are possible");
        }
        return new HiresSize(
                (int) toHeight / pixels,
                (int) toWidth / pixels,
                cut ? (int) (toHeight - height) / pixels : 0,
                cut ? (int) (toWidth - width) / pixels : 0);
    }

    /** What the second pass draws. */
    LatentShape latent(int channels) {
        return new LatentShape(channels, enlargedHeight - cutHeight, enlargedWidth - cutWidth);
    }

    /** The middle of enlarged planes. */
    float[] cut(float[] planes) {
        if (cutHeight == 0 && cutWidth == 0) {
            return planes;
        }
        int height = enlargedHeight - cutHeight;
        int width = enlargedWidth - cutWidth;
        int count = planes.length / (enlargedHeight * enlargedWidth);
        float[] middle = new float[count * height * width];
        for (int plane = 0; plane < count; plane++) {
            for (int y = 0; y < height; y++) {
                int from = (plane * enlargedHeight + y + cutHeight / 2) * enlargedWidth + cutWidth / 2;
                System.arraycopy(planes, from, middle, (plane * height + y) * width, width);
            }
        }
        return middle;
    }
}
