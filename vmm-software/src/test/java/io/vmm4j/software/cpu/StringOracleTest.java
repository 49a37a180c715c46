package io.vmm4j.software.cpu;

import io.vmm4j.software.oracle.Duel;
import io.vmm4j.software.oracle.NativeOracle;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** MOVS, CMPS, STOS, LODS and SCAS, repeated or not, in both directions, against the host. */
class StringOracleTest {
  private static final int MOVS = 0xA4;
  private static final int CMPS = 0xA6;
  private static final int STOS = 0xAA;
  private static final int LODS = 0xAC;
  private static final int SCAS = 0xAE;
  private static final int[] REPEATS = {0, 0xF2, 0xF3};
  private static final int MIDDLE = NativeOracle.SCRATCH_SIZE / 2;

  private final Values values = new Values(7);
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

  private void code(int opcode, int size, int repeat) {
    int[] code = Code.plain(size, size == 1 ? opcode : opcode | 1);
    duel.code(repeat == 0 ? code : Code.join(new int[] {repeat}, code));
  }

  /** Memory in which strings of equal bytes are long. */
  private void fill() {
    long value = 0;
    for (int at = 0; at < NativeOracle.SCRATCH_SIZE; at += 8) {
      if (values.below(12) == 0) {
        value = values.next();
      }
      duel.memory(at, value);
    }
  }

  private void run(int from, int to, long count, boolean down) {
    duel.gpr(Cpu.RSI, duel.scratchAddress() + from);
    duel.gpr(Cpu.RDI, duel.scratchAddress() + to);
    duel.gpr(Cpu.RCX, count);
    duel.flags(values.flags() | (down ? Flags.DF : 0));
    duel.run(0, NativeOracle.SCRATCH_SIZE);
  }

  @Test
  void everyInstructionRepeatSizeAndDirection() {
    for (int opcode : new int[] {MOVS, CMPS, STOS, LODS, SCAS}) {
      for (int size = 1; size <= 8; size *= 2) {
        for (int repeat : REPEATS) {
          code(opcode, size, repeat);
          for (int i = 0; i < 40; i++) {
            fill();
            boolean down = (i & 1) != 0;
            int count = values.below(i < 10 ? 3 : 1 + MIDDLE / 2 / size);
            int from = MIDDLE + values.below(64);
            // SCAS has to find what it looks for now and then.
            duel.gpr(Cpu.RAX, i % 3 == 0 ? 0 : values.next());
            run(from, from + values.below(600) - 300, count, down);
          }
        }
      }
    }
    duel.settle();
  }

  @Test
  void movesOntoTheirOwnSource() {
    for (int size = 1; size <= 8; size *= 2) {
      code(MOVS, size, 0xF3);
      for (int distance = -17; distance <= 17; distance++) {
        for (int direction = 0; direction < 2; direction++) {
          fill();
          run(MIDDLE, MIDDLE + distance, 150, direction != 0);
        }
      }
    }
    duel.settle();
  }

  @Test
  void countAndIndexOf32BitsWithAnAddressPrefix() {
    duel.code(0x67, 0xF3, 0xA4);
    duel.gpr(Cpu.RSI, -1L << 32);
    duel.gpr(Cpu.RDI, -1L << 32);
    duel.gpr(Cpu.RCX, 0x5_0000_0000L); // none: memory below 4 GiB isn't the oracle's
    duel.run(0);
    duel.settle();
  }
}
