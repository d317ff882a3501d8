package kiln.runtime.image;

/** What is wrong with a picture, in words; whoever knows the file's name makes a {@link kiln.runtime.base.KilnException} of it. */
final class PictureDamage extends Exception {
    private static final long serialVersionUID = 1L;

    PictureDamage(String found) {
        super(found);
    }
}
