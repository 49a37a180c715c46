package io.vmm4j.software.cpu;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Instructions behind which the run loop looks anew, and why. */
class LeaveReasonTest {
  @ParameterizedTest
  @CsvSource({
    "f4, HALT",
    "e680, PORT", // out 0x80, al
    "fb, INTERRUPTS", // sti
    "0f20d80f22d8, MODE", // mov rax, cr3; mov cr3, rax
    "0f0138, TRANSLATION", // invlpg [rax]
  })
  void anInstructionLeavesItsBlock(String code, LeaveReason reason) {
    BareCpu bare = BareCpu.withCodeSize(8);
    byte[] bytes = java.util.HexFormat.of().parseHex(code);
    int[] values = new int[bytes.length];
    for (int i = 0; i < bytes.length; i++) {
      values[i] = bytes[i] & 0xFF;
    }
    bare.code(values);
    bare.cpu.rip = BareCpu.CODE;

    // when it has run as far as the end of the code
    RunLoop loop = Tiers.loop(bare.cpu);
    while (!bare.cpu.halted && bare.cpu.rip < BareCpu.CODE + bytes.length) {
      loop.run(1);
    }

    assertThat(bare.cpu.lastLeave()).isEqualTo(reason);
  }
}
