package io.vmm4j.software.cpu;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Flags that POPF changes and that the differential suite leaves out. */
class PopFlagsTest {
  /** PUSHF; BTS [rsp], 14; POPF, of 64 and of 16 bits. */
  @ParameterizedTest
  @ValueSource(ints = {0x9D, 0x669D}) // popfq, popfw
  void theNestedTaskFlagIsSetAndCleared(int popFlags) {
    BareCpu bare = BareCpu.withCodeSize(8);
    int[] pop = popFlags > 0xFF ? new int[] {0x66, 0x9D} : new int[] {0x9D};
    int[] push = popFlags > 0xFF ? new int[] {0x66, 0x9C} : new int[] {0x9C};

    assertThat(bare.run(code(push, new int[] {0x48, 0x0F, 0xBA, 0x2C, 0x24, 14}, pop)))
        .isEqualTo(-1);
    assertThat(bare.cpu.systemFlags & Flags.NT).as("BTS").isEqualTo(Flags.NT);
    assertThat(bare.run(code(push, new int[] {0x48, 0x0F, 0xBA, 0x34, 0x24, 14}, pop)))
        .isEqualTo(-1);
    assertThat(bare.cpu.systemFlags & Flags.NT).as("BTR").isZero();
  }

  private static int[] code(int[]... parts) {
    return java.util.Arrays.stream(parts).flatMapToInt(java.util.Arrays::stream).toArray();
  }
}
