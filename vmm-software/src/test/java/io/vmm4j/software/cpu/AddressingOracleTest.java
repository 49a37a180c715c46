package io.vmm4j.software.cpu;

import io.vmm4j.software.oracle.Duel;
import java.util.Arrays;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Every form of ModRM and SIB in 64-bit code, with LEA, against the host. */
class AddressingOracleTest {
  private final Values values = new Values(6);
  private Duel duel;

  @BeforeEach
  void open() {
    duel = Duel.open();
  }

  @AfterEach
  void close() {
    if (duel != null) {
      duel.close();
    }
  }

  @Test
  void everyModrmAndSib() {
    for (int addressPrefix = 0; addressPrefix < 2; addressPrefix++) {
      for (int rex = 0x40; rex < 0x50; rex++) {
        for (int modrm = 0; modrm < 0xC0; modrm++) {
          int reg = (modrm >> 3 & 7) | (rex & 4) << 1;
          if (reg == Cpu.RSP) {
            continue;
          }
          if ((modrm & 7) != 4) {
            lea(addressPrefix != 0, rex, modrm, -1);
          } else if ((modrm >> 3 & 7) == 1) { // one destination is enough for every SIB
            for (int sib = 0; sib < 256; sib++) {
              lea(addressPrefix != 0, rex, modrm, sib);
            }
          }
        }
      }
    }
    duel.settle();
  }

  private void lea(boolean addressPrefix, int rex, int modrm, int sib) {
    int[] code = new int[16];
    int n = 0;
    if (addressPrefix) {
      code[n++] = 0x67;
    }
    code[n++] = rex;
    code[n++] = 0x8D;
    code[n++] = modrm;
    if (sib >= 0) {
      code[n++] = sib;
    }
    int mode = modrm >> 6;
    boolean wide = mode == 2 || mode == 0 && ((modrm & 7) == 5 || sib >= 0 && (sib & 7) == 5);
    for (int i = 0; i < (wide ? 4 : mode); i++) {
      code[n++] = values.below(256);
    }
    duel.code(Arrays.copyOf(code, n));
    for (int i = 0; i < 3; i++) {
      for (int r = 0; r < 16; r++) {
        if (r != Cpu.RSP) {
          duel.gpr(r, values.next());
        }
      }
      duel.flags(values.flags());
      duel.run(0);
    }
  }

  @Test
  void loadsRelativeToRipWithAnImmediateBehind() {
    for (int at = 0; at < 64; at += 8) {
      duel.memory(at, values.next());
    }
    // CMP dword [RIP + x], imm8, where RIP is that of the next instruction; SETB CL; then another
    // of the same block, so that the block's first RIP isn't the instruction's.
    for (int offset = 0; offset < 56; offset++) {
      long first = duel.scratchAddress() + offset - (duel.codeAddress() + 7);
      long second = duel.scratchAddress() + offset - (duel.codeAddress() + 17);
      int[] head = Code.with(new int[] {0x83, 0x3D}, 4, first);
      int[] tail = Code.with(new int[] {0x48, 0x8B, 0x15}, 4, second);
      duel.code(Code.join(head, new int[] {0x11, 0x0F, 0x92, 0xC1}, tail));
      duel.run(0, 64);
    }
    duel.settle();
  }
}
