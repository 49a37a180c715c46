package io.vmm4j.software.cpu;

import static io.vmm4j.software.cpu.Code.join;
import static io.vmm4j.software.cpu.Code.memory;
import static io.vmm4j.software.cpu.Code.plain;
import static io.vmm4j.software.cpu.Code.registers;
import static io.vmm4j.software.cpu.Code.with;

import io.vmm4j.software.oracle.Duel;
import io.vmm4j.software.oracle.NativeOracle;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** What moves, extends, exchanges, tests conditions and keeps the stack, against the host. */
class MoveOracleTest {
  private static final int[] SIZES = {1, 2, 4, 8};
  private static final int CASES = 60;

  private final Values values = new Values(5);
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

  /** Random registers, flags and 64 bytes of memory at RBX; code must leave RSP balanced. */
  private void cases(int... code) {
    duel.code(code);
    for (int i = 0; i < CASES; i++) {
      prepare();
      duel.run(0, 128);
    }
  }

  private void prepare() {
    for (int r = 0; r < 16; r++) {
      if (r != Cpu.RSP) {
        duel.gpr(r, values.next());
      }
    }
    duel.gpr(Code.MEMORY_BASE, duel.scratchAddress());
    for (int at = 0; at < 64; at += 8) {
      duel.memory(at, values.next());
    }
    duel.flags(values.flags());
  }

  @Test
  void moves() {
    for (int size : SIZES) {
      int wide = size == 1 ? 0 : 1;
      for (int opcode : new int[] {0x88 | wide, 0x8A | wide}) {
        cases(registers(size, opcode, Cpu.RCX, Cpu.RDX));
        cases(registers(size, opcode, Cpu.RSI, Cpu.RCX)); // DH as a byte
        cases(registers(size, opcode, 12, Cpu.RBP)); // BPL as a byte
        cases(memory(size, opcode, Cpu.RCX, 9));
        cases(memory(size, opcode, 7, 9));
      }
      cases(with(registers(size, 0xC6 | wide, 0, Cpu.RDX), Math.min(size, 4), values.next()));
      cases(with(memory(size, 0xC6 | wide, 0, 9), Math.min(size, 4), -values.next()));
      cases(with(plain(size, 0xA0 | wide), 8, duel.scratchAddress() + 5)); // moffs
      cases(with(plain(size, 0xA2 | wide), 8, duel.scratchAddress() + 5));
      cases(with(plain(size, size == 1 ? 0xB7 : 0xBA), size, values.next()));
    }
    duel.settle();
  }

  @Test
  void extensions() {
    for (int size : new int[] {2, 4, 8}) {
      for (int opcode : new int[] {0x1B6, 0x1B7, 0x1BE, 0x1BF, 0x63}) {
        cases(registers(size, opcode, Cpu.RDX, Cpu.RCX));
        cases(registers(size, opcode, Cpu.RDX, Cpu.RSI)); // DH for the bytes without REX
        cases(registers(size, opcode, 9, Cpu.RSI));
        cases(memory(size, opcode, Cpu.RDX, 9));
      }
      cases(plain(size, 0x98)); // CBW, CWDE, CDQE
      cases(plain(size, 0x99)); // CWD, CDQ, CQO
    }
    duel.settle();
  }

  @Test
  void exchanges() {
    for (int size : SIZES) {
      int wide = size == 1 ? 0 : 1;
      for (int opcode : new int[] {0x86 | wide, 0x1C0 | wide}) { // XCHG, XADD
        cases(registers(size, opcode, Cpu.RCX, Cpu.RDX));
        cases(registers(size, opcode, Cpu.RCX, Cpu.RCX));
        cases(registers(size, opcode, Cpu.RCX, 7));
        cases(memory(size, opcode, Cpu.RCX, 9));
        cases(join(new int[] {0xF0}, memory(size, opcode, Cpu.RCX, 9))); // LOCK
      }
      if (size > 1) {
        for (int r = 1; r < 8; r++) {
          if (r != Cpu.RSP) {
            cases(plain(size, 0x90 | r));
          }
        }
      }
    }
    cases(0x41, 0x90); // XCHG R8D, EAX
    cases(0xF3, 0x90); // PAUSE
    duel.settle();
  }

  @Test
  void compareAndExchange() {
    for (int size : SIZES) {
      int opcode = 0x1B0 | (size == 1 ? 0 : 1);
      for (int[] code :
          new int[][] {
            registers(size, opcode, Cpu.RCX, Cpu.RDX),
            registers(size, opcode, Cpu.RCX, Cpu.RCX),
            registers(size, opcode, Cpu.RCX, Cpu.RAX),
            memory(size, opcode, Cpu.RCX, 8)
          }) {
        duel.code(code);
        for (int i = 0; i < CASES; i++) {
          prepare();
          if (i % 3 == 0) { // equal, but for bits above the operand
            long above = size == 8 ? 0 : values.next() & ~Alu.mask(size);
            duel.gpr(Cpu.RDX, duel.gpr(Cpu.RAX) ^ above);
            duel.memory(8, duel.gpr(Cpu.RAX) ^ above);
          }
          duel.run(0, 32);
        }
      }
    }
    duel.settle();
  }

  @Test
  void compareAndExchangeOfPairs() {
    for (int size : new int[] {4, 8}) {
      if (size == 8 && !NativeOracle.hostHas("cx16")) {
        continue;
      }
      duel.code(memory(size, 0x1C7, 1, 16));
      for (int i = 0; i < 200; i++) {
        prepare();
        // RBX is both the base and the low half of what is stored.
        int equal = values.below(4);
        long low = (equal & 1) != 0 ? duel.gpr(Cpu.RAX) : values.next();
        long high = (equal & 2) != 0 ? duel.gpr(Cpu.RDX) : values.next();
        duel.memory(16, size == 8 ? low : low & 0xFFFF_FFFFL | high << 32);
        duel.memory(24, high);
        duel.run(0, 64);
      }
    }
    duel.settle();
  }

  @Test
  void conditionsOnEveryCombinationOfFlags() {
    for (int condition = 0; condition < 16; condition++) {
      everyFlags(registers(1, 0x190 | condition, 0, Cpu.RDX)); // SETcc
      everyFlags(registers(1, 0x190 | condition, 0, 7)); // BH
      everyFlags(memory(1, 0x190 | condition, 0, 9));
      for (int size : new int[] {2, 4, 8}) {
        everyFlags(registers(size, 0x140 | condition, Cpu.RDX, Cpu.RCX)); // CMOVcc
        everyFlags(memory(size, 0x140 | condition, Cpu.RDX, 9));
      }
      int[] skipped = with(plain(4, 0xB8), 4, condition); // MOV EAX, imm32
      everyFlags(join(with(plain(4, 0x70 | condition), 1, skipped.length), skipped)); // Jcc
      everyFlags(join(with(plain(4, 0x180 | condition), 4, skipped.length), skipped));
    }
    duel.settle();
  }

  private void everyFlags(int[] code) {
    duel.code(code);
    for (int flags = 0; flags < 64; flags++) {
      prepare();
      duel.flags(Values.flags(flags));
      duel.run(0, 32);
    }
  }

  @Test
  void conditionsOnFlagsJustComputed() {
    for (int size : SIZES) {
      int compare = 0x38 | (size == 1 ? 0 : 1);
      for (int condition = 0; condition < 16; condition++) {
        duel.code(
            join(
                registers(size, compare, Cpu.RCX, Cpu.RDX),
                registers(1, 0x190 | condition, 0, 8),
                registers(8, 0x140 | condition, 9, 10)));
        for (long a : Values.edges()) {
          for (long b : Values.edges()) {
            duel.gpr(Cpu.RDX, a);
            duel.gpr(Cpu.RCX, b);
            duel.gpr(10, b);
            duel.run(0);
          }
        }
      }
    }
    duel.settle();
  }

  @Test
  void flagsInAhAndOneByOne() {
    for (int opcode : new int[] {0x9E, 0x9F, 0xF5, 0xF8, 0xF9, 0xFC, 0xFD}) {
      everyFlags(plain(4, opcode)); // SAHF LAHF CMC CLC STC CLD STD
    }
    for (int set : new int[] {0xFC, 0xFD}) {
      everyFlags(new int[] {set, 0x9C, 0x59, 0x81, 0xE1, 0xD5, 0x0C, 0, 0}); // PUSHF, POP, AND
    }
    everyFlags(new int[] {0x9C, 0x81, 0x34, 0x24, 0xD5, 0x08, 0, 0, 0x9D}); // PUSHF, XOR, POPF
    duel.settle();
  }

  @Test
  void theStack() {
    for (int r = 0; r < 16; r++) {
      int rex = 0x40 | r >> 3;
      int[] push = {rex, 0x50 | r & 7};
      int[] pop = {0x59};
      cases(join(push, pop)); // PUSH RSP too
      if (r != Cpu.RSP && r != Code.MEMORY_BASE) {
        cases(join(new int[] {0x51}, new int[] {rex, 0x58 | r & 7}));
        cases(join(new int[] {0x66}, push, new int[] {0x66, rex, 0x58 | r & 7}));
      }
    }
    cases(0x54, 0x5C); // PUSH RSP, POP RSP
    cases(0x68, 0x78, 0x56, 0x34, 0x92, 0x59);
    cases(0x6A, 0x85, 0x59);
    cases(0x66, 0x68, 0x34, 0x92, 0x66, 0x59);
    cases(0x66, 0x6A, 0x85, 0x66, 0x59);
    cases(join(memory(4, 0xFF, 6, 9), memory(4, 0x8F, 0, 33)));
    cases(join(memory(2, 0xFF, 6, 9), memory(2, 0x8F, 0, 33)));
    cases(0xFF, 0x34, 0x24, 0x59); // PUSH [RSP]
    cases(0x51, 0x51, 0x8F, 0x04, 0x24, 0x59); // POP [RSP]: the address after the pop
    duel.settle();
  }

  @Test
  void frames() {
    for (int level : new int[] {0, 1, 32, 33}) { // modulo 32
      int[] enter = {0x48, 0x89, 0xE5, 0xC8, 0x34, 0x02, level}; // MOV RBP, RSP; ENTER
      int[] look = {0x48, 0x89, 0xE1, 0x48, 0x8B, 0x55, 0x00, 0xC9}; // MOV RCX, RSP; LEAVE
      cases(join(enter, look));
    }
    // A frame of frames: PUSH of known values, then ENTER with levels that copy them.
    int[] known = {0x48, 0x89, 0xE5, 0x51, 0x52, 0x56, 0x57}; // MOV RBP, RSP; PUSH ...
    int[] enter = {0xC8, 0x10, 0x00, 0x04};
    int[] popped = {0x48, 0x83, 0xC4, 0x10, 0x41, 0x58, 0x41, 0x59, 0x41, 0x5A, 0x41, 0x5B};
    int[] back = {0x48, 0x89, 0xEC, 0x48, 0x83, 0xC4, 0x28};
    cases(join(known, enter, popped, back));
    duel.settle();
  }

  @Test
  void callsAndReturns() {
    cases(0xE8, 0, 0, 0, 0, 0x59); // CALL next; POP RCX
    cases(0xE8, 2, 0, 0, 0, 0xEB, 4, 0x90, 0xC3, 0x90, 0x90); // CALL, JMP over; RET
    cases(0x6A, 0x11, 0xE8, 2, 0, 0, 0, 0xEB, 3, 0xC2, 8, 0); // RET 8
    // LEA RCX, [RIP + 4]; CALL RCX; JMP 1; RET
    cases(0x48, 0x8D, 0x0D, 4, 0, 0, 0, 0xFF, 0xD1, 0xEB, 1, 0xC3);
    // LEA RCX, [RIP + 3]; JMP RCX; NOP
    cases(0x48, 0x8D, 0x0D, 3, 0, 0, 0, 0xFF, 0xE1, 0x90);
    duel.settle();
  }

  @Test
  void loops() {
    for (int opcode = 0xE0; opcode < 0xE4; opcode++) {
      for (int prefix : new int[] {0x90, 0x67}) {
        // JMP to the loop instruction; INC EAX; NOP; LOOPcc back to the INC
        duel.code(0xEB, 3, 0xFF, 0xC0, 0x90, prefix, opcode, 0xFA);
        for (long count : new long[] {1, 2, 3, 50, 0x1_0000_0001L, 0x1_0000_0002L}) {
          for (int flags = 0; flags < 64; flags++) {
            prepare();
            boolean endless = opcode != 0xE3 && count > 0xFFFF_FFFFL && prefix != 0x67;
            duel.gpr(Cpu.RCX, endless ? 2 : count);
            duel.flags(Values.flags(flags));
            duel.run(0);
          }
        }
      }
    }
    duel.settle();
  }

  @Test
  void translationOfAByte() {
    duel.code(0xD7); // XLAT
    for (int at = 0; at < 256; at += 8) {
      duel.memory(at, values.next());
    }
    for (int al = 0; al < 256; al++) {
      duel.gpr(Cpu.RAX, 0x5500 | al);
      duel.gpr(Cpu.RBX, duel.scratchAddress());
      duel.run(0);
    }
    duel.settle();
  }
}
