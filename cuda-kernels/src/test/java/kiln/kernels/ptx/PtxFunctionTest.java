package kiln.kernels.ptx;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.api.Test;

class PtxFunctionTest {
    private final PtxModule module = new PtxModule(Target.FLOOR);
    private final PtxFunction f = module.entry("double_it", 64, 32);

    @Test
    void aFunctionReadsAsItWasWritten() {
        Value data = f.parameter("data", PtxType.U64);
        Value count = f.parameter("count", PtxType.U32);
        Value index = f.special("%tid.x");
        f.comment("in range");
        f.when(f.compare(Comparison.LESS, index, count), () -> {
            Value address = f.address(data, index, 4);
            Value x = f.load(Space.GLOBAL, PtxType.F32, address, 0);
            f.store(Space.GLOBAL, address, 0, f.mul(x, Value.of(2f)));
        });
        assertThat(module.text()).isEqualTo(
                """
                .version 6.0
                .target sm_50
                .address_size 64

                .visible .entry double_it(
                    .param .u64 double_it_data,
                    .param .u32 double_it_count
                )
                .reqntid 64, 1, 1
                .maxnreg 32
                {
                    .reg .b64 %rd<3>;
                    .reg .b32 %r<3>;
                    .reg .pred %p<2>;
                    .reg .f32 %f<3>;

                    ld.param.u64 %rd1, [double_it_data];
                    ld.param.u32 %r1, [double_it_count];
                    mov.u32 %r2, %tid.x;
                    // in range
                    setp.lt.u32 %p1, %r2, %r1;
                    @!%p1 bra END_1;
                    mad.wide.u32 %rd2, %r2, 4, %rd1;
                    ld.global.f32 %f1, [%rd2];
                    mul.f32 %f2, %f1, 0f40000000;
                    st.global.f32 [%rd2], %f2;
                END_1:
                    ret;
                }
                """);
    }

    @Test
    void aLoopTestsBeforeEachPass() {
        Value i = f.move(Value.of(0));
        f.loop(() -> f.compare(Comparison.LESS, i, Value.of(3)), () -> f.assign(i, PtxOp.ADD, i, Value.of(1)));
        assertThat(module.text()).contains(
                """
                LOOP_1:
                    setp.lt.s32 %p1, %r1, 3;
                    @!%p1 bra DONE_2;
                    add.s32 %r1, %r1, 1;
                    bra LOOP_1;
                DONE_2:
                """);
    }

    @Test
    void aGuardStandsBeforeEachOfItsInstructionsAndDoesNotNest() {
        Value p = f.compare(Comparison.EQUAL, f.special("%tid.x"), Value.of(0));
        f.guarded(p, () -> f.emit("trap"));
        f.emit("exit");
        assertThat(module.text()).contains("    @%p1 trap;\n    exit;\n");
        assertThatThrownBy(() -> f.guarded(p, () -> f.guarded(p, () -> {}))).isInstanceOf(IllegalStateException.class);
    }

    @Test
    void theVersionFollowsTheTargetAndTheInstructions() {
        assertThat(new PtxModule(Target.from(75)).text()).startsWith(".version 6.3\n.target sm_75\n");
        assertThat(new PtxModule(Target.from(90)).text()).startsWith(".version 7.8\n");
        f.emitSince(70, "cp.async.wait_all");
        assertThat(module.text()).startsWith(".version 7.0\n.target sm_50\n");
        assertThatThrownBy(() -> Target.from(35)).hasMessageContaining("sm_35");
    }

    @Test
    void integersAndFloatsTakeTheirOwnMnemonics() {
        assertThat(PtxOp.MAD.text(PtxType.U32)).isEqualTo("mad.lo.u32");
        assertThat(PtxOp.MAD.text(PtxType.F32)).isEqualTo("fma.rn.f32");
        assertThat(PtxOp.AND.text(PtxType.PRED)).isEqualTo("and.pred");
        assertThat(PtxOp.SHL.text(PtxType.U32)).isEqualTo("shl.b32");
        assertThatThrownBy(() -> PtxOp.EXP2.text(PtxType.S32)).hasMessageContaining("EXP2");
    }

    @Test
    void aRegisterIsReadOnlyAsATypeOfItsWidth() {
        Value r = f.register(PtxType.U32);
        assertThat(r.as(PtxType.S32)).isEqualTo(new Value(PtxType.S32, r.text()));
        assertThatThrownBy(() -> r.as(PtxType.F32)).isInstanceOf(IllegalArgumentException.class);
    }

    @Test
    void sharedMemoryWithoutASizeIsDeclaredBeforeTheEntry() {
        Value tile = f.dynamicShared("tile");
        f.store(Space.SHARED, tile, 0, Value.of(1));
        assertThat(module.text())
                .contains(".address_size 64\n.extern .shared .align 16 .b8 tile[];\n\n.visible .entry")
                .contains("mov.u32 %r1, tile;");
    }

    @Test
    void anExactTargetSaysSoAndRunsOnNoOtherCard() {
        Target hopper = new Target(90, true);
        assertThat(new PtxModule(hopper).text()).startsWith(".version 8.0\n.target sm_90a\n");
        assertThat(hopper.runsOn(90)).isTrue();
        assertThat(hopper.runsOn(100)).isFalse();
        assertThat(Target.from(90).runsOn(100)).isTrue();
        assertThat(Target.from(90).runsOn(89)).isFalse();
        assertThatThrownBy(() -> new Target(80, true)).hasMessageContaining("sm_80a");
    }
}
