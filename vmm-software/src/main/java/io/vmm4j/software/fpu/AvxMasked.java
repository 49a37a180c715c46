package io.vmm4j.software.fpu;

import static io.vmm4j.software.cpu.Mnemonic.VGATHERDPD;
import static io.vmm4j.software.cpu.Mnemonic.VGATHERDPS;
import static io.vmm4j.software.cpu.Mnemonic.VGATHERQPS;
import static io.vmm4j.software.cpu.Mnemonic.VMASKMOVPD;
import static io.vmm4j.software.cpu.Mnemonic.VMASKMOVPS;
import static io.vmm4j.software.cpu.Mnemonic.VPGATHERDD;
import static io.vmm4j.software.cpu.Mnemonic.VPGATHERDQ;
import static io.vmm4j.software.cpu.Mnemonic.VPGATHERQD;
import static io.vmm4j.software.cpu.Mnemonic.VPMASKMOVD;
import static io.vmm4j.software.cpu.Mnemonic.VPMASKMOVQ;

import io.vmm4j.software.cpu.Cpu;
import io.vmm4j.software.cpu.Instruction;
import io.vmm4j.software.cpu.Mmu;
import io.vmm4j.software.cpu.OperandPlace;
import java.util.Arrays;

/**
 * Moves of chosen elements: VMASKMOVPx, VPMASKMOVx and the gathers (Intel SDM volume 2). An element
 * that is not chosen is not accessed, and can't fault.
 */
final class AvxMasked {
  private AvxMasked() {}

  static void execute(Cpu cpu, Instruction in) {
    Operands.requireAvx(cpu);
    switch (in.mnemonic) {
      case VMASKMOVPS, VPMASKMOVD -> move(cpu, in, 4);
      case VMASKMOVPD, VPMASKMOVQ -> move(cpu, in, 8);
      case VPGATHERDD, VGATHERDPS -> gather(cpu, in, 4, 4);
      case VPGATHERDQ, VGATHERDPD -> gather(cpu, in, 4, 8);
      case VPGATHERQD, VGATHERQPS -> gather(cpu, in, 8, 4);
      default -> gather(cpu, in, 8, 8);
    }
  }

  private static long quadword(FpuState fpu, int register, int index) {
    return index < 2 ? fpu.xmm[2 * register + index] : fpu.ymmHigh[2 * register + index - 2];
  }

  private static void setQuadword(FpuState fpu, int register, int index, long value) {
    if (index < 2) {
      fpu.xmm[2 * register + index] = value;
    } else {
      fpu.ymmHigh[2 * register + index - 2] = value;
    }
  }

  /** An element of 4 or 8 bytes, sign-extended. */
  private static long element(FpuState fpu, int register, int index, int size) {
    if (size == 8) {
      return quadword(fpu, register, index);
    }
    long pair = quadword(fpu, register, index >> 1);
    return (index & 1) != 0 ? pair >> 32 : (int) pair;
  }

  private static void setElement(FpuState fpu, int register, int index, int size, long value) {
    if (size == 8) {
      setQuadword(fpu, register, index, value);
      return;
    }
    long pair = quadword(fpu, register, index >> 1);
    boolean second = (index & 1) != 0;
    setQuadword(
        fpu,
        register,
        index >> 1,
        second ? Packed.pair(pair, value) : Packed.pair(value, pair >>> 32));
  }

  private static long linear(Cpu cpu, Instruction in, long offset, int size, boolean write) {
    return cpu.linear(in.segment, cpu.effectiveAddress(in) + offset & in.addressMask, size, write);
  }

  /** Reads an element, whose alignment is not checked. */
  private static long read(Cpu cpu, long linear, int size) {
    if ((linear & size - 1) == 0) {
      return cpu.mmu.read(linear, size);
    }
    long value = 0;
    for (int i = 0; i < size; i++) {
      value |= (cpu.mmu.read8(linear + i) & 0xffL) << 8 * i;
    }
    return value;
  }

  private static void write(Cpu cpu, long linear, int size, long value) {
    if ((linear & size - 1) == 0) {
      cpu.mmu.write(linear, size, value);
      return;
    }
    for (int i = 0; i < size; i++) {
      cpu.mmu.write8(linear + i, (int) (value >>> 8 * i));
    }
  }

  /** VMASKMOVPS, VMASKMOVPD, VPMASKMOVD and VPMASKMOVQ. */
  private static void move(Cpu cpu, Instruction in, int size) {
    int count = (in.vexL ? 32 : 16) / size;
    if (in.form.first == OperandPlace.XMM_REG) {
      load(cpu, in, size, count);
      return;
    }
    FpuState fpu = cpu.fpu;
    for (int i = 0; i < count; i++) {
      if (element(fpu, in.vexRegister, i, size) < 0) {
        cpu.mmu.probe(linear(cpu, in, (long) i * size, size, true), size, Mmu.WRITE);
      }
    }
    for (int i = 0; i < count; i++) {
      if (element(fpu, in.vexRegister, i, size) < 0) {
        long value = element(fpu, in.reg, i, size);
        write(cpu, linear(cpu, in, (long) i * size, size, true), size, value);
      }
    }
  }

  private static void load(Cpu cpu, Instruction in, int size, int count) {
    FpuState fpu = cpu.fpu;
    long[] s = fpu.source;
    Arrays.fill(s, 0);
    for (int i = 0; i < count; i++) {
      if (element(fpu, in.vexRegister, i, size) < 0) {
        long value = read(cpu, linear(cpu, in, (long) i * size, size, false), size);
        if (size == 8) {
          s[i] = value;
        } else {
          s[i >> 1] |= (value & 0xffff_ffffL) << 32 * (i & 1);
        }
      }
    }
    Avx.set(fpu, in.reg, s[0], s[1], s[2], s[3]);
  }

  /**
   * The gathers. Each element that is loaded is taken out of the mask, so that after a fault the
   * instruction goes on where it was.
   */
  private static void gather(Cpu cpu, Instruction in, int indexSize, int size) {
    FpuState fpu = cpu.fpu;
    int to = in.reg;
    int mask = in.vexRegister;
    int index = in.vectorIndex;
    if (to == mask || to == index || mask == index) {
      throw cpu.raise(Cpu.UD);
    }
    int count = (in.vexL ? 32 : 16) / Math.max(size, indexSize);
    // By Intel's manual; AMD's processors leave the mask as it is behind an element that faults.
    for (int i = 0; i < count && !cpu.system.cpuid.isAmd(); i++) {
      setElement(fpu, mask, i, size, element(fpu, mask, i, size) >> 63);
    }
    for (int i = 0; i < count; i++) {
      if (element(fpu, mask, i, size) < 0) {
        long offset = element(fpu, index, i, indexSize) << in.scale;
        long value = read(cpu, linear(cpu, in, offset, size, false), size);
        setElement(fpu, to, i, size, value);
      }
      setElement(fpu, mask, i, size, 0);
    }
    for (int i = count * size / 8; i < 4; i++) {
      setQuadword(fpu, to, i, 0);
      setQuadword(fpu, mask, i, 0);
    }
  }
}
