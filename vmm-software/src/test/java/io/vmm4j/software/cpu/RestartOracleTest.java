package io.vmm4j.software.cpu;

import static io.vmm4j.software.cpu.Code.join;
import static io.vmm4j.software.cpu.Code.memory;
import static io.vmm4j.software.cpu.Code.with;

import io.vmm4j.software.oracle.Duel;
import io.vmm4j.software.oracle.NativeOracle;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/**
 * Instructions whose memory operand reaches into an absent page: they fault without a trace (SDM
 * volume 3, 6.5, faults), and when the page is there do what the host's processor does.
 */
class RestartOracleTest {
  private static final int PAGE = 0x1000;
  private static final int CASES = 8;

  private final Values values = new Values(9);
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

  private void cases(int undefined, int... code) {
    duel.code(code);
    for (int i = 0; i < CASES; i++) {
      for (int r = 0; r < 16; r++) {
        if (r != Cpu.RSP) {
          duel.gpr(r, values.next());
        }
      }
      duel.gpr(Cpu.RCX, values.below(8)); // shift counts, bit indices, repeat counts
      duel.gpr(Code.MEMORY_BASE, duel.scratchAddress());
      for (int at = PAGE - 32; at < PAGE + 32; at += 8) {
        duel.memory(at, values.next());
      }
      duel.flags(values.flags());
      duel.runRestarted(undefined);
    }
  }

  @Test
  void operandsThatCrossIntoAnAbsentPage() {
    for (int size = 2; size <= 8; size *= 2) {
      int at = PAGE - size / 2;
      for (int operation = 0; operation < 8; operation++) {
        int undefined = operation == 1 || operation == 4 || operation == 6 ? Flags.AF : 0;
        cases(undefined, memory(size, operation << 3 | 1, Cpu.RCX, at));
        cases(undefined, memory(size, operation << 3 | 3, Cpu.RCX, at));
        cases(undefined, with(memory(size, 0x83, operation, at), 1, 0x5A));
        cases(
            UndefinedFlags.shift(operation, 3, size),
            with(memory(size, 0xC1, operation, at), 1, 3));
        cases(Flags.ARITHMETIC & ~Flags.ZF, memory(size, 0xD3, operation, at));
      }
      for (int extension = 0; extension < 6; extension++) { // TEST, NOT, NEG, MUL, IMUL
        int[] code = memory(size, 0xF7, extension, at);
        int undefined = extension < 2 ? Flags.AF : extension < 4 ? 0 : UndefinedFlags.MULTIPLY;
        cases(undefined, extension < 2 ? with(code, Math.min(size, 4), 0x1234_5678) : code);
      }
      cases(0, memory(size, 0xFF, 0, at)); // INC
      cases(0, memory(size, 0xFF, 1, at));
      cases(Flags.AF, memory(size, 0x85, Cpu.RCX, at)); // TEST
      cases(0, memory(size, 0x87, Cpu.RCX, at)); // XCHG
      cases(0, memory(size, 0x89, Cpu.RCX, at)); // MOV
      cases(0, memory(size, 0x8B, Cpu.RCX, at));
      cases(0, with(memory(size, 0xC7, 0, at), Math.min(size, 4), 0x1234_5678));
      cases(0, memory(size, 0x1C1, Cpu.RCX, at)); // XADD
      cases(0, memory(size, 0x1B1, Cpu.RCX, at)); // CMPXCHG
      cases(0, memory(size, 0x144, Cpu.RCX, at)); // CMOVZ: it loads in any case
      cases(UndefinedFlags.MULTIPLY, memory(size, 0x1AF, Cpu.RCX, at));
      for (int operation = 0; operation < 4; operation++) {
        cases(UndefinedFlags.BIT_TEST, memory(size, 0x1A3 | operation << 3, Cpu.RCX, at));
      }
      cases(UndefinedFlags.doubleShift(3, size), with(memory(size, 0x1A4, Cpu.RDX, at), 1, 3));
      cases(UndefinedFlags.doubleShift(3, size), with(memory(size, 0x1AC, Cpu.RDX, at), 1, 3));
      cases(0, join(memory(size, 0xFF, 6, at), popped(size))); // PUSH
    }
    cases(0, memory(4, 0x1C7, 1, PAGE - 4)); // CMPXCHG8B
    cases(0, memory(4, 0x1B7, Cpu.RCX, PAGE - 1)); // MOVZX
    cases(0, memory(4, 0x1BF, Cpu.RCX, PAGE - 1));
    cases(0, memory(8, 0x63, Cpu.RCX, PAGE - 2)); // MOVSXD
    cases(0, memory(1, 0x192, 0, PAGE)); // SETB
    duel.settle();
  }

  private static int[] popped(int size) {
    return new int[] {0x48, 0x8D, 0x64, 0x24, size == 2 ? 2 : 8}; // LEA RSP, [RSP + size]
  }

  @Test
  void repeatedStringsStopAtThePageWithTheirRegistersAdvanced() {
    for (int size = 1; size <= 8; size *= 2) {
      for (int opcode : new int[] {0xA4, 0xA6, 0xAA, 0xAC, 0xAE}) {
        int[] once = Code.plain(size, size == 1 ? opcode : opcode | 1);
        duel.code(join(new int[] {0xF3}, once));
        int before = 40;
        int from = PAGE - before * size;
        for (int at = 0; at < NativeOracle.SCRATCH_SIZE; at += 8) {
          duel.memory(at, 0x7777_7777_7777_7777L);
        }
        duel.gpr(Cpu.RAX, 0x7777_7777_7777_7777L);
        duel.gpr(Cpu.RSI, duel.scratchAddress() + from);
        duel.gpr(Cpu.RDI, duel.scratchAddress() + from);
        duel.gpr(Cpu.RCX, 100);
        duel.runInterrupted(Cpu.RCX, 100 - before);
      }
    }
    duel.settle();
  }
}
