package io.vmm4j.software.cpu;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

/** Code that writes over code: Intel SDM volume 3, 12.1.3: it is seen by the next instruction. */
class SelfModifyingCodeTest {
  private final BareCpu bare = BareCpu.withCodeSize(4);
  private final Cpu cpu = bare.cpu;

  @Test
  void theNextInstructionOfTheBlockIsTheNewOne() {
    // MOV byte [CODE + 8], 0x22; MOV AL, 0x11
    assertThat(bare.run(0xC6, 0x05, 8, 0x80, 0, 0, 0x22, 0xB0, 0x11)).isEqualTo(-1);
    assertThat(cpu.gpr[Cpu.RAX] & 0xFF).isEqualTo(0x22);
  }

  @Test
  void aLoopThatChangesItsOwnImmediate() {
    // MOV ECX, 100; XOR EBX, EBX; next: ADD BL, 1 (CODE + 9); INC byte [CODE + 9]; LOOP next
    int[] code = {
      0xB9, 100, 0, 0, 0, 0x31, 0xDB, 0x80, 0xC3, 1, 0xFE, 0x05, 9, 0x80, 0, 0, 0xE2, 0xF5
    };
    assertThat(bare.run(code)).isEqualTo(-1);
    assertThat(cpu.gpr[Cpu.RBX]).isEqualTo(100 * 101 / 2 & 0xFF);
  }

  @Test
  void aRepeatedStoreOverWhatFollows() {
    // MOV EDI, CODE + 14; MOV ECX, 4; MOV AL, 0x90; REP STOSB; UD2; UD2
    int[] code = {
      0xBF, 14, 0x80, 0, 0, 0xB9, 4, 0, 0, 0, 0xB0, 0x90, 0xF3, 0xAA, 0x0F, 0x0B, 0x0F, 0x0B
    };
    assertThat(bare.run(code)).isEqualTo(-1);
  }

  @Test
  void anInstructionAcrossTwoPagesWhoseSecondPartChanges() {
    int at = 0x8FFE; // MOV EAX, imm32: B8 11 | 22 33 44
    for (int i = 0; i < 5; i++) {
      bare.put8(at + i, new int[] {0xB8, 0x11, 0x22, 0x33, 0x44}[i]);
    }
    bare.put8(at + 5, 0xC3);
    // CALL at; MOV byte [0x9000], 0x99; CALL at
    int[] code = {0xE8, 0xF9, 0x0F, 0, 0, 0xC6, 0x05, 0, 0x90, 0, 0, 0x99, 0xE8, 0xED, 0x0F, 0, 0};
    assertThat(bare.run(code)).isEqualTo(-1);
    assertThat(cpu.gpr[Cpu.RAX]).isEqualTo(0x4433_9911L);
  }
}
