package io.vmm4j.gdb.stub;

import io.vmm4j.api.backend.CpuState;
import io.vmm4j.api.backend.MsrState;
import io.vmm4j.api.backend.SegmentState;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.List;

/**
 * A vCPU's registers in GDB's form, little-endian: a copy of a state, which can be changed and made
 * a state again. Of what a debugger writes, only what no processor can have is left out: reserved
 * bits, and bits of RFLAGS that change the mode.
 */
final class RegisterFile {
  /** What POPFQ at CPL 0 changes, less VM, VIF, VIP and IOPL: see SDM volume 1, 3.4.3. */
  private static final long FLAGS = 0x254FD5;

  private static final int MXCSR_BITS = 0xFFFF;
  private static final int MSR_EFER = 0xC0000080;
  private static final int MSR_FS_BASE = 0xC0000100;
  private static final int MSR_GS_BASE = 0xC0000101;
  private static final int MSR_KERNEL_GS_BASE = 0xC0000102;
  private static final int TASK_PRIORITY = 8;

  /** The legacy region of an XSAVE area (SDM volume 1, 10.5.1). */
  private static final int FCW = 0;

  private static final int FSW = 2;
  private static final int FTW = 4;
  private static final int FOP = 6;
  private static final int FIP = 8;
  private static final int FCS = 12;
  private static final int FDP = 16;
  private static final int FDS = 20;
  private static final int MXCSR = 24;
  private static final int ST = 32;
  private static final int XMM = 160;
  private static final int XSTATE_BV = 512;

  private final CpuState state;
  private final long[] gpr;
  private final ByteBuffer fpu;
  private long rip;
  private long rflags;
  private long fsBase;
  private long gsBase;

  RegisterFile(CpuState state) {
    this.state = state;
    this.gpr = state.gpr().clone();
    this.fpu = ByteBuffer.wrap(state.xsave().clone()).order(ByteOrder.LITTLE_ENDIAN);
    this.rip = state.rip();
    this.rflags = state.rflags();
    this.fsBase = state.fs().base();
    this.gsBase = state.gs().base();
  }

  /** The bytes of a register. */
  byte[] read(Register register) {
    byte[] bytes = new byte[register.bytes()];
    switch (register.kind()) {
      case X87 -> fpu.get(ST + 16 * register.index(), bytes);
      case XMM -> fpu.get(XMM + 16 * register.index(), bytes);
      default -> {
        ByteBuffer value = ByteBuffer.allocate(8).order(ByteOrder.LITTLE_ENDIAN);
        value.putLong(0, value(register));
        value.get(0, bytes);
      }
    }
    return bytes;
  }

  /** The value of a register of up to 64 bits. */
  long value(Register register) {
    int i = register.index();
    return switch (register.kind()) {
      case GENERAL -> gpr[i];
      case RIP -> rip;
      case FLAGS -> rflags;
      case SELECTOR ->
          List.of(state.cs(), state.ss(), state.ds(), state.es(), state.fs(), state.gs())
              .get(i)
              .selector();
      case X87_CONTROL -> control(i);
      case MXCSR -> fpu.getInt(MXCSR) & 0xFFFFFFFFL;
      case SEGMENT_BASE -> i == 0 ? fsBase : gsBase;
      case SYSTEM -> system(i);
      case X87, XMM -> throw new IllegalArgumentException(register.name() + " is too wide");
    };
  }

  private long system(int i) {
    return switch (i) {
      case 0 -> state.msr(MSR_KERNEL_GS_BASE);
      case 1 -> state.cr0();
      case 2 -> state.cr2();
      case 3 -> state.cr3();
      case 4 -> state.cr4();
      case 5 -> state.apic().registers()[TASK_PRIORITY] >>> 4 & 15;
      default -> state.msr(MSR_EFER);
    };
  }

  private long control(int i) {
    return switch (i) {
      case 0 -> fpu.getShort(FCW) & 0xFFFF;
      case 1 -> fpu.getShort(FSW) & 0xFFFF;
      case 2 -> fullTags();
      case 3 -> fpu.getShort(FCS) & 0xFFFF;
      case 4 -> fpu.getInt(FIP) & 0xFFFFFFFFL;
      case 5 -> fpu.getShort(FDS) & 0xFFFF;
      case 6 -> fpu.getInt(FDP) & 0xFFFFFFFFL;
      default -> fpu.getShort(FOP) & 0x7FF;
    };
  }

  /** The tag word of FSAVE from the one of FXSAVE (SDM volume 1, 10.5.1.1). */
  private int fullTags() {
    int top = fpu.getShort(FSW) >>> 11 & 7;
    int abridged = fpu.get(FTW);
    int tags = 0;
    for (int i = 0; i < 8; i++) {
      int tag = (abridged >>> i & 1) == 0 ? 3 : tag(ST + 16 * (i - top & 7));
      tags |= tag << 2 * i;
    }
    return tags;
  }

  private int tag(int at) {
    long significand = fpu.getLong(at);
    int exponent = fpu.getShort(at + 8) & 0x7FFF;
    if (exponent == 0 && significand == 0) {
      return 1;
    }
    return exponent != 0 && exponent != 0x7FFF && significand < 0 ? 0 : 2;
  }

  /** Sets a register that is writable. */
  void write(Register register, byte[] bytes) {
    ByteBuffer whole = ByteBuffer.allocate(16).order(ByteOrder.LITTLE_ENDIAN);
    whole.put(0, bytes);
    long value = whole.getLong(0);
    int i = register.index();
    switch (register.kind()) {
      case GENERAL -> gpr[i] = merged(gpr[i], value, register);
      case RIP -> rip = isLong() ? merged(rip, value, register) : value & 0xFFFFFFFFL;
      case FLAGS -> rflags = rflags & ~FLAGS | value & FLAGS;
      case X87 -> writeFpu(ST + 16 * i, bytes);
      case XMM -> writeFpu(XMM + 16 * i, bytes);
      case X87_CONTROL -> writeControl(i, (int) value);
      case MXCSR -> {
        fpu.putInt(MXCSR, (int) value & MXCSR_BITS);
        markFpu();
      }
      case SEGMENT_BASE -> {
        long base = canonical(value);
        if (i == 0) {
          fsBase = base;
        } else {
          gsBase = base;
        }
      }
      case SELECTOR, SYSTEM -> throw new IllegalArgumentException(register.name());
    }
  }

  /** A debugger that knows 32 bits of a register changes those alone. */
  private static long merged(long before, long value, Register register) {
    return register.bits() == 32 ? before & ~0xFFFFFFFFL | value & 0xFFFFFFFFL : value;
  }

  private boolean isLong() {
    return (state.msr(MSR_EFER) & 1 << 10) != 0 && (state.cs().attributes() & 1 << 13) != 0;
  }

  private static long canonical(long address) {
    return address << 16 >> 16;
  }

  private void writeFpu(int at, byte[] bytes) {
    fpu.put(at, bytes);
    markFpu();
  }

  private void writeControl(int i, int value) {
    switch (i) {
      case 0 -> fpu.putShort(FCW, (short) (value & 0x1F3F | 0x40));
      case 1 -> fpu.putShort(FSW, (short) value);
      case 2 -> {
        int abridged = 0;
        for (int tag = 0; tag < 8; tag++) {
          abridged |= (value >>> 2 * tag & 3) == 3 ? 0 : 1 << tag;
        }
        fpu.put(FTW, (byte) abridged);
      }
      case 3 -> fpu.putShort(FCS, (short) value);
      case 4 -> fpu.putInt(FIP, value);
      case 5 -> fpu.putShort(FDS, (short) value);
      case 6 -> fpu.putInt(FDP, value);
      default -> fpu.putShort(FOP, (short) (value & 0x7FF));
    }
    markFpu();
  }

  /** x87 and SSE are no longer in their initial configuration. */
  private void markFpu() {
    fpu.putLong(XSTATE_BV, fpu.getLong(XSTATE_BV) | 3);
  }

  /** The state with what was written. */
  CpuState state() {
    return new CpuState(
        gpr,
        rip,
        rflags,
        state.es(),
        state.cs(),
        state.ss(),
        state.ds(),
        withBase(state.fs(), fsBase),
        withBase(state.gs(), gsBase),
        state.ldtr(),
        state.tr(),
        state.gdtr(),
        state.idtr(),
        state.cr0(),
        state.cr2(),
        state.cr3(),
        state.cr4(),
        state.dr(),
        state.xcr0(),
        fpu.array(),
        state.msrs().stream().map(this::withBase).toList(),
        state.events(),
        state.activity(),
        state.apic(),
        state.tsc());
  }

  private static SegmentState withBase(SegmentState segment, long base) {
    return new SegmentState(segment.selector(), base, segment.limit(), segment.attributes());
  }

  private MsrState withBase(MsrState msr) {
    return switch (msr.index()) {
      case MSR_FS_BASE -> new MsrState(MSR_FS_BASE, fsBase);
      case MSR_GS_BASE -> new MsrState(MSR_GS_BASE, gsBase);
      default -> msr;
    };
  }
}
