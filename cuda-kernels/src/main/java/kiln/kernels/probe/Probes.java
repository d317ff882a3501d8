package kiln.kernels.probe;

import static java.lang.Float.intBitsToFloat;
import static kiln.kernels.probe.Format.B32;
import static kiln.kernels.probe.Format.F16;
import static kiln.kernels.probe.Format.F16X2;
import static kiln.kernels.probe.Format.F32;
import static kiln.kernels.probe.Format.PREDICATE;
import static kiln.kernels.probe.Format.S32;
import static kiln.kernels.probe.Format.U32;
import static kiln.kernels.probe.Format.U64;

import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import kiln.kernels.HalfFloats;

/**
 * A probe for each instruction that the kernels compute with. What they only move data with (loads, stores, {@code mov}, {@code cp.async}) and what
 * decides where they go on (branches, barriers) has none: the kernels' own cases show it.
 *
 * <p>Most instructions are exact: their results are expected to the bit, NaN for NaN. The approximate ones are as near as NVIDIA's PTX ISA says, see
 * {@link kiln.kernels.ptx.PtxOp}.
 */
public final class Probes {
    private static final int FLOOR = 50;
    private static final int HALF_ARITHMETIC = 53;
    private static final int PACKING = 80;

    /** What an instruction does to one thread's operands: the words of its result. */
    private interface Lane {
        Expected[] of(int[] operands);
    }

    private interface FloatUnary {
        Expected of(float a);
    }

    private interface FloatBinary {
        Expected of(float a, float b);
    }

    private interface Binary {
        int of(int a, int b);
    }

    private interface Test {
        boolean of(int a, int b);
    }

    private interface FloatTest {
        boolean of(float a, float b);
    }

    private Probes() {}

    /** Each with an instruction of its own. */
    public static List<Probe> all() {
        List<Probe> all = new ArrayList<>();
        addFloats(all);
        addApproximations(all);
        addConversions(all);
        addIntegers(all);
        addWideIntegers(all);
        addPredicates(all);
        all.addAll(WarpProbes.all());
        return List.copyOf(all);
    }

    private static void addFloats(List<Probe> all) {
        all.add(floats("add.f32", (a, b) -> Expected.value(a + b)));
        all.add(floats("sub.f32", (a, b) -> Expected.value(a - b)));
        all.add(floats("mul.f32", (a, b) -> Expected.value(a * b)));
        all.add(floats("div.rn.f32", (a, b) -> Expected.value(a / b)));
        // A number wins over NaN, and 0 is more than -0.
        all.add(floats("min.f32", (a, b) -> Expected.value(Float.isNaN(a) ? b : Float.isNaN(b) ? a : Math.min(a, b))));
        all.add(floats("max.f32", (a, b) -> Expected.value(Float.isNaN(a) ? b : Float.isNaN(b) ? a : Math.max(a, b))));
        all.add(scalar("fma.rn.f32", FLOOR, F32, List.of(F32, F32, F32), Operands.floatTriples(), words -> new Expected[] {
            Expected.value(Math.fma(intBitsToFloat(words[0]), intBitsToFloat(words[1]), intBitsToFloat(words[2])))
        }));
        all.add(floats("neg.f32", Operands.floats(), a -> Expected.value(-a)));
        all.add(floats("abs.f32", Operands.floats(), a -> Expected.value(Math.abs(a))));
        all.add(scalar("sub.f16x2", HALF_ARITHMETIC, F16X2, List.of(F16X2, F16X2), Operands.halfPairs(), words -> new Expected[] {
            // Floats have so many digits that rounding twice is rounding once.
            Expected.halves(pack(half(words[0]) - half(words[1]), half(words[0] >>> 16) - half(words[1] >>> 16)))
        }));
    }

    private static void addApproximations(List<Probe> all) {
        all.add(floats("ex2.approx.f32", Operands.floatsBetween(-150, 129), a -> {
            double exact = Math.pow(2, a);
            return Expected.function(exact, 0x1p-22 * exact + Float.MIN_VALUE);
        }));
        // Within the last digit.
        all.add(floats("rcp.approx.f32", Operands.floats(), a ->
                Expected.function(1.0 / a, Math.ulp((float) Math.min(Math.abs(1.0 / a), Float.MAX_VALUE)))));
        // 2^-22.9
        all.add(floats("rsqrt.approx.f32", Operands.floats(), a -> Expected.function(1 / Math.sqrt(a), 1.2777e-7 / Math.sqrt(a))));
        // 2^-20.5 and 2^-20.9
        all.add(floats("sin.approx.f32", Operands.angles(), a -> Expected.function(Math.sin(a), 6.7435e-7)));
        all.add(floats("cos.approx.f32", Operands.angles(), a -> Expected.function(Math.cos(a), 5.1107e-7)));
    }

    private static void addConversions(List<Probe> all) {
        Operands halfway = Operands.halfway(2, 11, -24, 5);
        Operands whole = Operands.halfway(1, 22, 0, 0);
        all.add(scalar("cvt.f32.f16", FLOOR, F32, List.of(F16), Operands.halves(), words -> new Expected[] {Expected.value(half(words[0]))}));
        all.add(scalar("cvt.rn.f16.f32", FLOOR, F16, List.of(F32), Operands.halfway(1, 11, -24, 5), words -> new Expected[] {
            Expected.halves(pack(intBitsToFloat(words[0]), 0))
        }));
        // The first operand goes to the upper half.
        all.add(scalar("cvt.rn.f16x2.f32", PACKING, F16X2, List.of(F32, F32), halfway, words -> new Expected[] {
            Expected.halves(pack(intBitsToFloat(words[1]), intBitsToFloat(words[0])))
        }));
        all.add(scalar("cvt.rn.f32.s8", FLOOR, F32, List.of(B32), Operands.integers(1), words -> new Expected[] {Expected.value((byte) words[0])}));
        all.add(scalar("cvt.rn.f32.u32", FLOOR, F32, List.of(U32), Operands.integers(1), words -> new Expected[] {
            Expected.value(Integer.toUnsignedLong(words[0]))
        }));
        all.add(floats("cvt.rni.f32.f32", whole, a -> Expected.value((float) Math.rint(a))));
        // Out of range it is the nearest that there is; NaN becomes 0.
        all.add(scalar("cvt.rzi.u32.f32", FLOOR, U32, List.of(F32), whole, words -> new Expected[] {
            Expected.bits((int) Math.max(0, Math.min(0xffff_ffffL, (long) intBitsToFloat(words[0]))))
        }));
    }

    private static void addIntegers(List<Probe> all) {
        all.add(integers("add.u32", U32, (a, b) -> a + b));
        all.add(integers("add.s32", S32, (a, b) -> a + b));
        all.add(integers("sub.u32", U32, (a, b) -> a - b));
        all.add(integers("sub.s32", S32, (a, b) -> a - b));
        all.add(integers("mul.lo.u32", U32, (a, b) -> a * b));
        all.add(integers("min.u32", U32, (a, b) -> Integer.compareUnsigned(a, b) < 0 ? a : b));
        all.add(integers("min.s32", S32, Math::min));
        all.add(integers("max.s32", S32, Math::max));
        all.add(integers("max.u32", U32, (a, b) -> Integer.compareUnsigned(a, b) > 0 ? a : b));
        all.add(integers("and.b32", B32, (a, b) -> a & b));
        all.add(integers("or.b32", B32, (a, b) -> a | b));
        all.add(integers("xor.b32", B32, (a, b) -> a ^ b));
        // Java takes the distance modulo 32.
        all.add(integers("shl.b32", B32, (a, b) -> Integer.compareUnsigned(b, 31) > 0 ? 0 : a << b));
        all.add(integers("shr.u32", U32, (a, b) -> Integer.compareUnsigned(b, 31) > 0 ? 0 : a >>> b));
        // What a division by 0 gives is not specified.
        Operands quotients = Operands.integers(2).with(1, divisor -> divisor == 0 ? 1 : divisor);
        all.add(integers("div.u32", U32, quotients, Integer::divideUnsigned));
        all.add(integers("rem.u32", U32, quotients, Integer::remainderUnsigned));
        all.add(scalar("mad.lo.u32", FLOOR, U32, List.of(U32, U32, U32), Operands.integers(3), words -> new Expected[] {
            Expected.bits(words[0] * words[1] + words[2])
        }));
        all.add(scalar("prmt.b32", FLOOR, B32, List.of(B32, B32, B32), Operands.integers(3), words -> new Expected[] {
            Expected.bits(permuted(words[0], words[1], words[2]))
        }));
    }

    private static void addWideIntegers(List<Probe> all) {
        all.add(scalar("add.u64", FLOOR, U64, List.of(U64, U64), Operands.integers(4), words -> wide(wide(words, 0) + wide(words, 2))));
        all.add(scalar("mad.lo.u64", FLOOR, U64, List.of(U64, U64, U64), Operands.integers(6), words ->
                wide(wide(words, 0) * wide(words, 2) + wide(words, 4))));
        all.add(scalar("mul.wide.u32", FLOOR, U64, List.of(U32, U32), Operands.integers(2), words ->
                wide(Integer.toUnsignedLong(words[0]) * Integer.toUnsignedLong(words[1]))));
        all.add(scalar("mad.wide.u32", FLOOR, U64, List.of(U32, U32, U64), Operands.integers(4), words ->
                wide(Integer.toUnsignedLong(words[0]) * Integer.toUnsignedLong(words[1]) + wide(words, 2))));
    }

    private static void addPredicates(List<Probe> all) {
        all.add(comparison("setp.lt.f32", (a, b) -> a < b));
        all.add(comparison("setp.gt.f32", (a, b) -> a > b));
        all.add(comparison("setp.eq.u32", U32, (a, b) -> a == b));
        all.add(comparison("setp.ne.u32", U32, (a, b) -> a != b));
        all.add(comparison("setp.lt.u32", U32, (a, b) -> Integer.compareUnsigned(a, b) < 0));
        all.add(comparison("setp.le.u32", U32, (a, b) -> Integer.compareUnsigned(a, b) <= 0));
        all.add(comparison("setp.gt.u32", U32, (a, b) -> Integer.compareUnsigned(a, b) > 0));
        all.add(comparison("setp.ge.u32", U32, (a, b) -> Integer.compareUnsigned(a, b) >= 0));
        all.add(comparison("setp.lt.s32", S32, (a, b) -> a < b));
        all.add(comparison("setp.le.s32", S32, (a, b) -> a <= b));
        all.add(comparison("setp.gt.s32", S32, (a, b) -> a > b));
        Operands bits = Operands.integers(2).with(0, word -> word & 1).with(1, word -> word & 1);
        all.add(scalar("and.pred", FLOOR, PREDICATE, List.of(PREDICATE, PREDICATE), bits, words -> new Expected[] {
            Expected.predicate((words[0] & words[1]) != 0)
        }));
        all.add(scalar("or.pred", FLOOR, PREDICATE, List.of(PREDICATE, PREDICATE), bits, words -> new Expected[] {
            Expected.predicate((words[0] | words[1]) != 0)
        }));
        Operands choices = Operands.integers(3).with(2, word -> word & 1);
        all.add(choice("selp.f32", F32, choices));
        all.add(choice("selp.u32", U32, choices));
        all.add(choice("selp.b32", B32, choices));
        all.add(choice("selp.u64", U64, Operands.integers(5).with(4, word -> word & 1)));
    }

    // Shapes.

    private static Probe scalar(String instruction, int target, Format result, List<Format> formats, Operands operands, Lane lane) {
        List<Probe.Group> groups = formats.stream().map(Probe.Group::of).toList();
        return new Probe(instruction, target, Probe.Group.of(result), groups, "", false, operands, lanes ->
                Stream.of(lanes).map(lane::of).toArray(Expected[][]::new));
    }

    private static Probe floats(String instruction, Operands operands, FloatUnary function) {
        return scalar(instruction, FLOOR, F32, List.of(F32), operands, words -> new Expected[] {function.of(intBitsToFloat(words[0]))});
    }

    private static Probe floats(String instruction, FloatBinary function) {
        return scalar(instruction, FLOOR, F32, List.of(F32, F32), Operands.floatPairs(), words -> new Expected[] {
            function.of(intBitsToFloat(words[0]), intBitsToFloat(words[1]))
        });
    }

    private static Probe integers(String instruction, Format format, Binary function) {
        return integers(instruction, format, Operands.integers(2), function);
    }

    private static Probe integers(String instruction, Format format, Operands operands, Binary function) {
        return scalar(instruction, FLOOR, format, List.of(format, format), operands, words -> new Expected[] {
            Expected.bits(function.of(words[0], words[1]))
        });
    }

    private static Probe comparison(String instruction, Format format, Test test) {
        // Equal ones are rare among random pairs.
        Operands operands = new Operands(Operands.integers(2).rows(), (random, row) -> {
            int[] words = Operands.integers(2).maker().make(random, row);
            return row % 4 == 3 ? new int[] {words[0], words[0]} : words;
        });
        return scalar(instruction, FLOOR, PREDICATE, List.of(format, format), operands, words -> new Expected[] {
            Expected.predicate(test.of(words[0], words[1]))
        });
    }

    private static Probe choice(String instruction, Format format, Operands operands) {
        return scalar(instruction, FLOOR, format, List.of(format, format, PREDICATE), operands, words -> {
            Expected[] chosen = new Expected[format.words()];
            for (int i = 0; i < chosen.length; i++) {
                int word = words[2 * format.words()] != 0 ? words[i] : words[format.words() + i];
                chosen[i] = format == F32 ? Expected.value(intBitsToFloat(word)) : Expected.bits(word);
            }
            return chosen;
        });
    }

    private static Probe comparison(String instruction, FloatTest test) {
        return scalar(instruction, FLOOR, PREDICATE, List.of(F32, F32), Operands.floatPairs(), words -> new Expected[] {
            Expected.predicate(test.of(intBitsToFloat(words[0]), intBitsToFloat(words[1])))
        });
    }

    // Plain Java.

    /** The lower half of a word. */
    static float half(int word) {
        return HalfFloats.toFloat((short) word);
    }

    private static int pack(float low, float high) {
        return HalfFloats.toHalf(low) & 0xffff | HalfFloats.toHalf(high) << 16;
    }

    private static long wide(int[] words, int at) {
        return Integer.toUnsignedLong(words[at]) | (long) words[at + 1] << 32;
    }

    private static Expected[] wide(long value) {
        return new Expected[] {Expected.bits((int) value), Expected.bits((int) (value >>> 32))};
    }

    /** Each of the selector's lower four digits chooses one of eight bytes, or that one's sign. */
    private static int permuted(int a, int b, int selector) {
        byte[] bytes = new byte[8];
        for (int i = 0; i < 8; i++) {
            bytes[i] = (byte) ((i < 4 ? a : b) >> 8 * (i & 3));
        }
        int result = 0;
        for (int i = 0; i < 4; i++) {
            int digit = selector >>> 4 * i & 15;
            int chosen = digit < 8 ? bytes[digit] : bytes[digit & 7] >> 7;
            result |= (chosen & 0xff) << 8 * i;
        }
        return result;
    }
}
