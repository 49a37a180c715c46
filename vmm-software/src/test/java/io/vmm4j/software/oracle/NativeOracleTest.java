package io.vmm4j.software.oracle;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** The judge itself must be right: registers and state go in and come out unchanged. */
class NativeOracleTest {
  private NativeOracle oracle;

  @BeforeEach
  void open() {
    assumeTrue(NativeOracle.isSupported(), "native comparison needs x86-64 Linux");
    oracle = NativeOracle.open();
  }

  @AfterEach
  void close() {
    if (oracle != null) {
      oracle.close();
    }
  }

  @Test
  void emptyCodeLeavesEveryRegisterAsItWasSet() {
    // given
    oracle.code(0x90);
    for (int i = 0; i < 16; i++) {
      if (i != 4) {
        oracle.gpr(i, 0x1111_1111_1111_1111L * i);
      }
      oracle.xmm(i, i, ~i);
    }
    oracle.rflags(0x8d5);
    oracle.mxcsr(0x7fbf);
    oracle.controlWord(0x27f);
    oracle.statusWord(0x3800);
    oracle.abridgedTag(0x80);
    oracle.st(0, 0xc000, 0x8000_0000_0000_0001L);

    // when
    oracle.run();

    // then
    for (int i = 0; i < 16; i++) {
      assertThat(oracle.gpr(i))
          .isEqualTo(i == 4 ? oracle.stackAddress() : 0x1111_1111_1111_1111L * i);
      assertThat(oracle.xmm(i, 0)).isEqualTo(i);
      assertThat(oracle.xmm(i, 1)).isEqualTo(~i);
    }
    assertThat(oracle.rflags() & 0xcd5).isEqualTo(0x8d5);
    assertThat(oracle.mxcsr()).isEqualTo(0x7fbf);
    assertThat(oracle.controlWord()).isEqualTo(0x27f);
    assertThat(oracle.statusWord()).isEqualTo(0x3800);
    assertThat(oracle.abridgedTag()).isEqualTo(0x80);
    assertThat(oracle.signExponent(0)).isEqualTo(0xc000);
    assertThat(oracle.significand(0)).isEqualTo(0x8000_0000_0000_0001L);
  }

  @Test
  void addWritesItsResultAndFlags() {
    oracle.code(0x48, 0x01, 0xd8); // add rax, rbx
    oracle.gpr(0, Long.MAX_VALUE);
    oracle.gpr(3, 1);

    oracle.run();

    assertThat(oracle.gpr(0)).isEqualTo(Long.MIN_VALUE);
    assertThat(oracle.rflags() & 0x8d5).isEqualTo(0x894); // OF SF AF PF
  }

  @Test
  void pushAndStringStoreReachMemory() {
    oracle.code(0x50, 0xab); // push rax; stosd
    oracle.gpr(0, 0x1234_5678_9abc_def0L);
    oracle.gpr(7, oracle.scratchAddress() + 16);
    oracle.rflags(0x400);

    oracle.run();

    assertThat(oracle.gpr(4)).isEqualTo(oracle.stackAddress() - 8);
    assertThat(oracle.gpr(7)).isEqualTo(oracle.scratchAddress() + 12);
    assertThat(oracle.scratch().get(java.lang.foreign.ValueLayout.JAVA_INT, 16))
        .isEqualTo(0x9abc_def0);
  }

  @Test
  void unmaskedExtendedDivisionByZeroIsReportedWithoutAFault() {
    oracle.code(0xd8, 0xf1); // fdiv st, st(1)
    oracle.controlWord(0x37b);
    oracle.statusWord(0);
    oracle.abridgedTag(3);
    oracle.st(0, 0x3fff, Long.MIN_VALUE);
    oracle.st(1, 0, 0);

    oracle.run();

    assertThat(oracle.statusWord() & 0x84).isEqualTo(0x84);
    assertThat(oracle.signExponent(0)).isEqualTo(0x3fff);
  }
}
