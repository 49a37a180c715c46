package io.vmm4j.software.cpu;

import io.vmm4j.api.backend.CpuFeature;
import io.vmm4j.api.backend.CpuModel;
import java.io.ByteArrayOutputStream;
import java.util.HexFormat;

/**
 * Makes code of a fuzzer's bytes: arbitrary instructions, and between them what changes the mode,
 * control registers, page tables or code. It begins in 64-bit code of the kernel.
 */
final class FuzzProgram {
  static final int CODE = BareCpu.CODE;
  private static final int MOST_BYTES = 0xE00;
  private static final int GDT = 0x1000;
  private static final int TSS = 0x5000;
  private static final int DATA = 0x10_0000;
  private static final int PRESENT_WRITABLE_LARGE = 0x83;
  private static final int USER = 4;

  private static final int CODE_64 = 0x08;
  private static final int DATA_0 = 0x10;
  private static final int CODE_32 = 0x18;
  private static final int CODE_16 = 0x20;
  private static final int USER_DATA = 0x28 | 3;
  private static final int USER_64 = 0x30 | 3;
  private static final int USER_32 = 0x38 | 3;
  private static final int TASK = 0x40;

  private static final long[] DESCRIPTORS = {
    0x00AF_9B00_0000_FFFFL,
    0x00CF_9300_0000_FFFFL,
    0x00CF_9B00_0000_FFFFL,
    0x008F_9B00_0000_FFFFL,
    0x00CF_F300_0000_FFFFL,
    0x00AF_FB00_0000_FFFFL,
    0x00CF_FB00_0000_FFFFL,
    0x0000_8900_0000_0067L | (long) TSS << 16,
    0,
  };

  /**
   * Instructions that the state of the system depends on, and some that machine code leaves for.
   */
  private static final byte[][] SYSTEM =
      instructions(
          "fa",
          "fb",
          "fc",
          "fd",
          "9c",
          "9d",
          "0f01f8",
          "0f01ca",
          "0f01cb",
          "0f05",
          "480f07",
          "0f31",
          "0fa2",
          "48cf",
          "cf",
          "cb",
          "0f09",
          "0f0138",
          "0f06",
          "0f20c0",
          "0f20d8",
          "0f22d8",
          "0f20e0",
          "0f22e0",
          "cc",
          "cd80",
          "f1",
          "e680",
          "e480",
          "0fae00",
          "0fae08",
          "dbe3",
          "d9ee",
          "dec1",
          "dd18",
          "0faef0",
          "f390",
          "0fc7f0",
          "0f01d0",
          "8ed8",
          "8ee0",
          "6a10",
          "1f",
          "0fa1",
          "f4",
          "f30faed0",
          "f30faed8",
          "0f0f",
          "62f1",
          "c5f877");

  /** What most code is made of; a ModRM byte and more of the fuzzer's follow. */
  private static final byte[][] OPCODES =
      instructions(
          "01",
          "4801",
          "29",
          "4811",
          "4819",
          "39",
          "4885",
          "4889",
          "488b",
          "8a",
          "8600",
          "f0480fc1",
          "f00fb1",
          "480fc7",
          "48c1",
          "48d3",
          "480fa3",
          "480fab",
          "480fbd",
          "f3480fbc",
          "f3480fbd",
          "480faf",
          "48f7",
          "ff",
          "48ff",
          "0f44",
          "0f90",
          "480fb6",
          "480fbe",
          "0f10",
          "660f6f",
          "f30f6f",
          "f20f58",
          "660fef",
          "660f3800",
          "660f3a61",
          "c4e17d6f",
          "c4e2f1f7",
          "c4e278f2",
          "c4e1f173",
          "c5fd74",
          "f20f38f1",
          "0f38f0",
          "d9",
          "dd",
          "0fae",
          "8e",
          "8c",
          "a4",
          "f3a4",
          "f348ab",
          "f3a6",
          "48a5",
          "e8",
          "c3",
          "eb",
          "74",
          "e3",
          "ffe0",
          "488d",
          "f6",
          "80",
          "83");

  private static final int[] CR4_BITS = {
    0x80, 0x200, 0x400, 0x4_0000, 0x10_0000, 0x1_0000, 4, 0x20
  };
  private static final int[] CR0_BITS = {0x1_0000, 8, 4, 2, 0x4_0000, 0x8000_0000};
  private static final int[] MSRS = {
    0xC000_0080,
    0xC000_0081,
    0xC000_0082,
    0xC000_0084,
    0xC000_0100,
    0xC000_0101,
    0xC000_0102,
    0x10,
    0x174,
    0x175,
    0x176,
    0x1B,
    0x1D9
  };

  private final byte[] data;
  private final ByteArrayOutputStream code = new ByteArrayOutputStream();
  private int at;

  private FuzzProgram(byte[] data) {
    this.data = data;
  }

  private static byte[][] instructions(String... hex) {
    byte[][] bytes = new byte[hex.length][];
    for (int i = 0; i < hex.length; i++) {
      bytes[i] = HexFormat.of().parseHex(hex[i]);
    }
    return bytes;
  }

  /** A machine with code at {@link #CODE}. */
  static BareCpu machine(byte[] code) {
    BareCpu machine = BareCpu.with(8, CpuModel.V3.features().toArray(CpuFeature[]::new));
    for (int i = 0; i < DESCRIPTORS.length; i++) {
      machine.put64(GDT + 8 + 8 * i, DESCRIPTORS[i]);
    }
    machine.put64(TSS + 4, BareCpu.STACK - 0x800);
    for (int i = 0; i < 8; i++) {
      machine.put64(BareCpu.PAGE_DIRECTORY + 8 * i, (long) i << 21 | PRESENT_WRITABLE_LARGE | USER);
    }
    machine.put64(0x1_0000, 0x1_1000 | 3 | USER);
    machine.put64(0x1_1000, BareCpu.PAGE_DIRECTORY | 3 | USER);
    for (int i = 0; i < code.length; i++) {
      machine.put8(CODE + i, code[i]);
    }
    Cpu cpu = machine.cpu;
    cpu.gdtrLimit = 8 * DESCRIPTORS.length + 7;
    cpu.cr4 |= 0x4_0600;
    cpu.xcr0 = 7;
    cpu.efer |= 1;
    for (int i = 0; i < 16; i++) {
      cpu.gpr[i] = i % 3 == 0 ? DATA + 64L * i : i * 0x0123_4567_89ABL;
    }
    cpu.gpr[Cpu.RSP] = BareCpu.STACK;
    cpu.gpr[Cpu.RCX] = 5;
    for (int i = 0; i < 32; i++) {
      cpu.fpu.xmm[i] = 0x3FF0_0000_0000_0000L + 0x0101_0101_0101L * i;
      cpu.fpu.ymmHigh[i] = ~cpu.fpu.xmm[i];
    }
    cpu.rip = CODE;
    cpu.mmu.flush();
    cpu.modeChanged();
    return machine;
  }

  /** The code that bytes of a fuzzer make. */
  static byte[] of(byte[] data) {
    FuzzProgram program = new FuzzProgram(data);
    program.emit(0x66, 0xB8, TASK, 0, 0x0F, 0x00, 0xD8); // LTR
    while (program.at < data.length && program.code.size() < MOST_BYTES) {
      program.part();
    }
    program.emit(0xF4);
    return program.code.toByteArray();
  }

  private int next() {
    return at < data.length ? data[at++] & 0xFF : 0;
  }

  private int pick(int[] of) {
    return of[next() % of.length];
  }

  private void emit(int... bytes) {
    for (int b : bytes) {
      code.write(b);
    }
  }

  private void emit32(int value) {
    emit(value, value >> 8, value >> 16, value >> 24);
  }

  private void raw(int count) {
    for (int i = 0; i < count; i++) {
      emit(next());
    }
  }

  private void part() {
    switch (next() & 15) {
      case 0 -> raw(1 + (next() & 7));
      case 1, 2, 3, 4 -> {
        code.writeBytes(OPCODES[next() % OPCODES.length]);
        raw(next() & 3);
      }
      case 5, 6 -> code.writeBytes(SYSTEM[next() % SYSTEM.length]);
      case 7 -> constant(next() & 7, place());
      case 8 -> farReturn(pick(new int[] {CODE_64, CODE_32, CODE_16, DATA_0}));
      case 9 -> toUser(pick(new int[] {USER_64, USER_32}));
      case 10 -> { // JMP ptr16:32 to behind it, from 32-bit code
        emit(0xEA);
        emit32(CODE + code.size() + 6);
        emit(pick(new int[] {CODE_64, CODE_32}), 0);
      }
      case 11 -> store();
      case 12 -> loop();
      case 13 -> control();
      case 14 -> pageTable();
      default -> msr();
    }
  }

  private int place() {
    int offset = next() | (next() & 15) << 8;
    return switch (next() & 7) {
      case 0 -> CODE + offset;
      case 1 -> BareCpu.STACK - offset;
      case 2 -> BareCpu.PAGE_DIRECTORY + (offset & 63);
      case 3 -> offset;
      case 4 -> 0x1F_FF00 + offset;
      default -> DATA + offset;
    };
  }

  private void constant(int register, int value) {
    emit(0xB8 | register);
    emit32(value);
  }

  /** PUSH of a selector, LEA of what comes next, PUSH, RETFQ. */
  private void farReturn(int selector) {
    emit(0x68);
    emit32(selector);
    emit(0x48, 0x8D, 0x05);
    emit32(3);
    emit(0x50, 0x48, 0xCB);
  }

  private void toUser(int selector) {
    emit(0x6A, USER_DATA, 0x54, 0x9C, 0x68);
    emit32(selector);
    emit(0x48, 0x8D, 0x05);
    emit32(3);
    emit(0x50, 0x48, 0xCF);
  }

  /** MOV of a constant to memory. */
  private void store() {
    emit(0xC6, 0x04, 0x25);
    emit32(place());
    emit(next());
  }

  private void loop() {
    emit(0xB9);
    emit32(1 + (next() & 15));
    int begin = code.size();
    int parts = 1 + (next() & 1);
    for (int i = 0; i < parts; i++) {
      code.writeBytes(OPCODES[next() % OPCODES.length]);
      raw(next() & 3);
    }
    emit(0xFF, 0xC9, 0x75, begin - (code.size() + 4));
  }

  /** A bit of CR0 or CR4 set or cleared. */
  private void control() {
    boolean first = (next() & 1) == 0;
    int bit = pick(first ? CR0_BITS : CR4_BITS);
    int register = first ? 0xC0 : 0xE0;
    boolean sets = (next() & 1) != 0;
    emit(0x0F, 0x20, register, sets ? 0x0D : 0x25); // OR or AND of EAX
    emit32(sets ? bit : ~bit);
    emit(0x0F, 0x22, register);
  }

  /** A bit of an entry of the page directory set or cleared, and what makes it known, or not. */
  private void pageTable() {
    int bit = 1 << pick(new int[] {0, 1, 2, 5, 6, 8, 7});
    boolean sets = (next() & 1) != 0;
    emit(0x81, sets ? 0x0C : 0x24, 0x25);
    emit32(BareCpu.PAGE_DIRECTORY + 8 * (next() & 3));
    emit32(sets ? bit : ~bit);
    switch (next() & 3) {
      case 0 -> emit(0x0F, 0x20, 0xD8, 0x0F, 0x22, 0xD8);
      case 1 -> {
        emit(0x0F, 0x01, 0x3C, 0x25);
        emit32(place());
      }
      default -> {}
    }
  }

  private void msr() {
    emit(0xB9);
    emit32(pick(MSRS));
    emit(0x0F, 0x32);
    if ((next() & 1) != 0) {
      emit(0x34, next(), 0x0F, 0x30); // XOR AL, WRMSR
    }
  }
}
