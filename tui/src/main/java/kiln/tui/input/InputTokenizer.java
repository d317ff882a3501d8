package kiln.tui.input;

import java.util.Objects;
import java.util.function.Consumer;
import kiln.tui.input.InputEvent.Key;

/**
 * Turns the bytes of a terminal into events: an ECMA-48 state machine with UTF-8, bracketed paste, kitty's keyboard protocol and xterm's
 * modifyOtherKeys. How the bytes are cut into reads makes no difference. What it does not know, and every reply and mouse report, is
 * swallowed whole: nothing of it is ever typed.
 *
 * <p>A lone ESC is the Escape key or the start of a sequence: when {@link #isEscapePending()} and nothing follows for a while, call
 * {@link #escapeTimeout()}. Not safe for use by several threads.
 */
public final class InputTokenizer {
    private static final int ESC = 0x1b;
    /** Longer parameter strings are nobody's; they are swallowed without being kept. */
    private static final int MAX_PARAMETERS = 256;

    private enum State {
        GROUND,
        ESCAPE,
        /** ESC followed by intermediate bytes: a sequence that names no key. */
        ESCAPE_INTERMEDIATE,
        CSI,
        SS3,
        /** OSC, DCS, APC, PM or SOS: text up to ST. */
        STRING,
        STRING_ESCAPE,
        X10_MOUSE,
        /** The Linux console's F1-F5: CSI [ and a letter. */
        CONSOLE_KEY,
        PASTE
    }

    private final Consumer<InputEvent> sink;
    private final StringBuilder parameters = new StringBuilder();
    private final Utf8Decoder utf8 = new Utf8Decoder();
    private final PasteCollector paste = new PasteCollector();
    private State state = State.GROUND;
    private boolean altCharacter;
    private int mouseBytes;

    /** Events go to {@code sink} on the thread that feeds. */
    public InputTokenizer(Consumer<InputEvent> sink) {
        this.sink = Objects.requireNonNull(sink, "sink");
    }

    public void feed(byte[] bytes, int offset, int length) {
        Objects.checkFromIndexSize(offset, length, bytes.length);
        for (int i = offset; i < offset + length; i++) {
            accept(bytes[i] & 255);
        }
    }

    /** Whether the last byte was an ESC whose meaning is open. */
    public boolean isEscapePending() {
        return state == State.ESCAPE;
    }

    /** Nothing followed the pending ESC: it was the key. */
    public void escapeTimeout() {
        if (state == State.ESCAPE) {
            state = State.GROUND;
            sink.accept(Key.of(KeyName.ESCAPE));
        }
    }

    private void accept(int b) {
        switch (state) {
            case GROUND -> ground(b);
            case ESCAPE -> escape(b);
            case ESCAPE_INTERMEDIATE -> {
                if (b == ESC) {
                    state = State.ESCAPE;
                } else if (b < 0x20 || b > 0x2f) {
                    state = State.GROUND;
                }
            }
            case CSI -> controlSequence(b);
            case SS3 -> singleShift(b);
            case STRING -> {
                if (b == ESC) {
                    state = State.STRING_ESCAPE;
                } else if (b == 0x07 || b == 0x18 || b == 0x1a) {
                    state = State.GROUND;
                }
            }
            case STRING_ESCAPE -> {
                if (b == '\\') {
                    state = State.GROUND;
                } else {
                    // The string was given up: this ESC begins something new.
                    state = State.ESCAPE;
                    escape(b);
                }
            }
            case X10_MOUSE -> {
                if (--mouseBytes == 0) {
                    state = State.GROUND;
                }
            }
            case CONSOLE_KEY -> {
                state = State.GROUND;
                if (b >= 'A' && b <= 'E') {
                    sink.accept(Key.of(KeyName.function(b - 'A' + 1)));
                }
            }
            case PASTE -> {
                if (paste.accept(b)) {
                    state = State.GROUND;
                    sink.accept(new InputEvent.Paste(paste.take()));
                }
            }
        }
    }

    private void ground(int b) {
        if (b == ESC) {
            utf8.reset();
            state = State.ESCAPE;
        } else if (b < 0x20 || b == 0x7f) {
            utf8.reset();
            sink.accept(ControlKeys.of(b, false));
        } else {
            character(b);
        }
    }

    private void character(int b) {
        int codePoint = utf8.accept(b);
        if (codePoint >= 0) {
            boolean alt = altCharacter;
            altCharacter = false;
            // C1 controls and noncharacters type nothing.
            if (codePoint >= 0xa0 || codePoint < 0x7f) {
                sink.accept(new Key(KeyName.CHARACTER, codePoint, false, alt, false));
            }
        } else if (codePoint == Utf8Decoder.MALFORMED) {
            altCharacter = false;
        }
    }

    private void escape(int b) {
        switch (b) {
            case '[' -> {
                parameters.setLength(0);
                state = State.CSI;
            }
            case 'O' -> {
                parameters.setLength(0);
                state = State.SS3;
            }
            case ']', 'P', '_', '^', 'X' -> state = State.STRING;
            case ESC -> sink.accept(Key.of(KeyName.ESCAPE));
            default -> {
                state = State.GROUND;
                if (b < 0x20 || b == 0x7f) {
                    sink.accept(ControlKeys.of(b, true));
                } else if (b < 0x30 && b != ' ' && b != '/' && b != '-' && b != '.' && b != ',') {
                    state = State.ESCAPE_INTERMEDIATE;
                } else {
                    altCharacter = true;
                    character(b);
                }
            }
        }
    }

    private void controlSequence(int b) {
        if (b == ESC) {
            state = State.ESCAPE;
        } else if (b < 0x20 || b > 0x7e) {
            state = State.GROUND;
            ground(b);
        } else if (b < 0x40) {
            if (parameters.length() < MAX_PARAMETERS) {
                parameters.append((char) b);
            }
        } else {
            endControlSequence(b);
        }
    }

    private void endControlSequence(int last) {
        state = State.GROUND;
        String text = parameters.toString();
        if (last == 'M' && text.isEmpty()) {
            state = State.X10_MOUSE;
            mouseBytes = 3;
        } else if (last == '[' && text.isEmpty()) {
            state = State.CONSOLE_KEY;
        } else if (last == '~' && text.equals("200")) {
            state = State.PASTE;
        } else if ((last == 'I' || last == 'O') && text.isEmpty()) {
            sink.accept(new InputEvent.Focus(last == 'I'));
        } else {
            Key key = SequenceKeys.of(text, last);
            if (key != null) {
                sink.accept(key);
            }
        }
    }

    private void singleShift(int b) {
        if (b == ESC) {
            state = State.ESCAPE;
        } else if (b >= '0' && b <= ';' && parameters.length() < MAX_PARAMETERS) {
            // Some terminals put modifiers here: SS3 5 P.
            parameters.append((char) b);
        } else {
            state = State.GROUND;
            Key key = SequenceKeys.afterSingleShift(parameters.toString(), b);
            if (key != null) {
                sink.accept(key);
            }
        }
    }
}
