package kiln.weights.pickle;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import java.math.BigInteger;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

class PickleMachineTest {
    @Test
    void plainValuesOfEveryProtocolBecomeJavaValues() throws PickleException {
        assertThat(read("N.")).isNull();
        assertThat(read("I01\n.")).isEqualTo(true);
        assertThat(read("\u0089.")).isEqualTo(false);
        assertThat(read("I-12\n.")).isEqualTo(-12L);
        assertThat(read("J\u00fe\u00ff\u00ff\u00ff.")).isEqualTo(-2L);
        assertThat(read("K\u00ff.")).isEqualTo(255L);
        assertThat(read("M\u0001\u0002.")).isEqualTo(513L);
        assertThat(read("L12345678901234567890L\n.")).isEqualTo(new BigInteger("12345678901234567890"));
        assertThat(read("\u008a\u0000.")).isEqualTo(0L);
        assertThat(read("\u008a\u0002\u0000\u0080.")).isEqualTo(-32768L);
        assertThat(read("F-0.5\n.")).isEqualTo(-0.5);
        assertThat(read("G\u00bf\u00e0\0\0\0\0\0\0.")).isEqualTo(-0.5);
        assertThat(read("V\u00c3\u00a9\n.")).isEqualTo("é");
        assertThat(read("X\u0002\0\0\0\u00c3\u00a9.")).isEqualTo("é");
        assertThat(read("\u008c\u0002ab.")).isEqualTo("ab");
        assertThat(read("\u008d\u0002\0\0\0\0\0\0\0ab.")).isEqualTo("ab");
        assertThat(read("S'ab'\n.")).isEqualTo("ab");
        assertThat(read("U\u0002ab.")).isEqualTo("ab");
        assertThat((byte[]) read("C\u0002\u0000\u00ff.")).containsExactly(0, -1);
        assertThat((byte[]) read("\u0096\u0001\0\0\0\0\0\0\0\u0007.")).containsExactly(7);
    }

    @Test
    void containersKeepTheirOrderAndSharedValuesStayOne() throws PickleException {
        Inert.Sequence list = (Inert.Sequence) read("](K\u0001K\u0002eK\u0003a.");
        assertThat(list.items()).isEqualTo(List.of(1L, 2L, 3L));
        Inert.Sequence pair = (Inert.Sequence) read("}q\u0000h\u0000\u0086.");
        assertThat(pair.items().get(0)).isInstanceOf(Inert.Dict.class).isSameAs(pair.items().get(1));
        Inert.Dict dict = (Inert.Dict) read("}(U\u0001aK\u0001U\u0001bK\u0002uU\u0001aK\u0003s.");
        assertThat(dict.size()).isEqualTo(3);
        assertThat(dict.get("a")).isEqualTo(3L);
        assertThat(((Inert.Sequence) read("\u008f(K\u0001\u0090.")).items()).isEqualTo(List.of(1L));
        assertThat(((Inert.Sequence) read("]\u00940h\u0000.")).items()).isEmpty();
    }

    @Test
    void aCallIsRememberedAndNeverMade() throws PickleException {
        Inert.Instance call = (Inert.Instance) read("cos\nsystem\n(U\u0002lstR}U\u0001kK\u0001sb.");
        assertThat(call.callableName()).isEqualTo("os.system");
        assertThat(call.arguments()).isEqualTo(List.of("ls"));
    }

    @Test
    void everyWayToMakeAnObjectGivesAnInertOne() throws PickleException {
        String[] ways = {"cm\nC\n)R.", "cm\nC\n)\u0081.", "cm\nC\n)}\u0092.", "(im\nC\n.", "(cm\nC\no.", "U\u0001mU\u0001C\u0093)R."};
        for (String way : ways) {
            assertThat(((Inert.Instance) read(way)).callableName()).isEqualTo("m.C");
        }
        Inert.Instance filled = (Inert.Instance) read("cm\nC\n)R(K\u0001e(U\u0001aK\u0002u}b.");
        assertThat(filled.items().items()).isEqualTo(List.of(1L));
        assertThat(filled.entries().get("a")).isEqualTo(2L);
        assertThat(filled.state()).isInstanceOf(Inert.Dict.class);
    }

    @Test
    void persistentIdsAreListedAlsoWhenTheValueDropsThem() throws PickleException {
        PickleMachine.Result result = PickleMachine.read(bytes("U\u0001aQ0Pb\n0N."));
        assertThat(result.references()).extracting(Inert.Reference::id).containsExactly("a", "b");
    }

    @Test
    void theBufferStandsAfterThePickle() throws PickleException {
        ByteBuffer two = bytes("K\u0001.K\u0002.");
        assertThat(PickleMachine.read(two).value()).isEqualTo(1L);
        assertThat(PickleMachine.read(two).value()).isEqualTo(2L);
        assertThat(two.hasRemaining()).isFalse();
    }

    static Stream<Arguments> brokenPickles() {
        return Stream.of(
                Arguments.of("", "needs another operation"),
                Arguments.of("N", "needs another operation"),
                Arguments.of(".", "needs 1 value, there are 0"),
                Arguments.of("(.", "needs 1 value, there are 0"),
                Arguments.of("N(.", "needs 1 value, there are 0"),
                Arguments.of("K", "needs another operation"),
                Arguments.of("J12", "needs 4 bytes"),
                Arguments.of("t.", "needs a mark"),
                Arguments.of("h1.", "before it is there"),
                Arguments.of("g-1\n.", "no number"),
                Arguments.of("Iabc\n.", "not a number"),
                Arguments.of("Fabc\n.", "not a number"),
                Arguments.of("K1K2a.", "no list"),
                Arguments.of("K1K2K3s.", "no dict"),
                Arguments.of("}(K1u.", "without a value"),
                Arguments.of("N\u0093.", "needs 2 values"),
                Arguments.of("NN\u0093.", "without a name"),
                Arguments.of("(o.", "without a class"),
                Arguments.of("X\u00ff\u00ff\u00ff\u00ffab.", "needs 4294967295 bytes"),
                Arguments.of("\u008d\u00ff\u00ff\u00ff\u00ff\u00ff\u00ff\u00ff\u007f.", "needs 9223372036854775807 bytes"),
                Arguments.of("\u008d\u00ff\u00ff\u00ff\u00ff\u00ff\u00ff\u00ff\u00ff.", "needs 18446744073709551615 bytes"),
                Arguments.of("\u0095\u00ff\u00ff\u00ff\u00ff\u00ff\u00ff\u00ff\u007fN.", "a frame of"),
                Arguments.of("\u008b\u00ff\u00ff\u00ff\u007f.", "an integer of 2147483647 bytes"),
                Arguments.of("\u0080\u0006N.", "protocol 6"),
                Arguments.of("\u0082a.", "only the writing program had"),
                Arguments.of("?.", "no pickle operation 0x3f"),
                Arguments.of("Sab\n.", "without quotes"),
                Arguments.of("Vabc", "end of a line"));
    }

    @ParameterizedTest
    @MethodSource("brokenPickles")
    void aBrokenPickleIsRefusedWithThePlace(String pickle, String message) {
        PickleException e = catchThrowableOfType(PickleException.class, () -> read(pickle));
        assertThat(e).hasMessageContaining(message);
        assertThat(e.position()).isBetween(0, pickle.length());
    }

    @Test
    void deepNestingAndCyclesTakeNoStack() throws PickleException {
        read("(".repeat(1_000_000) + "t".repeat(1_000_000) + ".");
        read("]".repeat(1_000_000) + "a".repeat(999_999) + ".");
        Inert.Sequence cycle = (Inert.Sequence) read("]q\u0000h\u0000a.");
        assertThat(cycle.items().get(0)).isSameAs(cycle);
    }

    @Test
    void aMemoIndexOfFourBillionCostsOneEntry() throws PickleException {
        assertThat(read("K\u0001r\u00fe\u00ff\u00ff\u00ff0j\u00fe\u00ff\u00ff\u00ff.")).isEqualTo(1L);
    }

    @Test
    void tooManyOperationsAreRefusedAsBeyondTheLimit() {
        PickleException e = catchThrowableOfType(PickleException.class,
                () -> read("N".repeat(PickleMachine.MAX_VALUES + 1) + "."));
        assertThat(e.isLimit()).isTrue();
    }

    private static Object read(String latin1) throws PickleException {
        return PickleMachine.read(bytes(latin1)).value();
    }

    private static ByteBuffer bytes(String latin1) {
        return ByteBuffer.wrap(latin1.getBytes(StandardCharsets.ISO_8859_1));
    }
}
