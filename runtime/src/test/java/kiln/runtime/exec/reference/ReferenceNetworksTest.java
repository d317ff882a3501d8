package kiln.runtime.exec.reference;

import java.util.List;
import kiln.runtime.exec.NetworkGolden;
import kiln.runtime.graph.Fusion;
import kiln.runtime.graph.SeamlessTiling;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Whole networks of three models against PyTorch. */
class ReferenceNetworksTest {
    static List<NetworkGolden> models() {
        return NetworkGolden.all();
    }

    @ParameterizedTest
    @MethodSource("models")
    void networksEqualPyTorchs(NetworkGolden golden) {
        golden.check(ReferenceExecutor::new, NetworkGolden.F32);
    }

    @ParameterizedTest
    @MethodSource("models")
    void fusedNetworksEqualPyTorchsToo(NetworkGolden golden) {
        golden.check(ReferenceExecutor::new, Fusion::fuse, NetworkGolden.F32);
    }

    @Test
    void seamlessNetworksEqualPyTorchsWithCircularPadding() {
        NetworkGolden.tiled().check(ReferenceExecutor::new, SeamlessTiling::of, NetworkGolden.F32);
    }
}
