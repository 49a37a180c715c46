package io.vmm4j.engine.machine;

import static org.assertj.core.api.Assertions.assertThat;

import io.vmm4j.engine.memory.HostRoom;
import java.util.Map;
import org.junit.jupiter.api.Test;

/** Devices share the address space that the host can map. */
class SparseBytesTest {
  private static final long MIB = 1 << 20;

  @Test
  void devicesGetWhatTheyWantWhereThereIsRoom() {
    SparseBytes sparse = SparseBytes.of(Map.of("a", 100 * MIB, "b", 900 * MIB), 1000 * MIB);
    assertThat(sparse.total()).isEqualTo(1000 * MIB);
    assertThat(sparse.givenTo("b")).isEqualTo(900 * MIB);
  }

  @Test
  void devicesGetAnEqualShareAtMostWhereThereIsNot() {
    SparseBytes sparse = SparseBytes.of(Map.of("a", 100 * MIB, "b", 901 * MIB), 1000 * MIB);
    assertThat(sparse.givenTo("a")).isEqualTo(100 * MIB);
    assertThat(sparse.givenTo("b")).isEqualTo(500 * MIB);
    assertThat(sparse.givenTo("attached later")).isEqualTo(256 * MIB);
  }

  @Test
  void theHostSaysHowMuchItMaps() {
    assertThat(HostRoom.mappableBytes()).isGreaterThan(64 * MIB);
  }
}
