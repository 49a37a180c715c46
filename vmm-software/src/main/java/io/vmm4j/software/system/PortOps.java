package io.vmm4j.software.system;

import static io.vmm4j.software.cpu.Cpu.ES;
import static io.vmm4j.software.cpu.Cpu.GP;
import static io.vmm4j.software.cpu.Cpu.RAX;
import static io.vmm4j.software.cpu.Cpu.RCX;
import static io.vmm4j.software.cpu.Cpu.RDI;
import static io.vmm4j.software.cpu.Cpu.RDX;
import static io.vmm4j.software.cpu.Cpu.RSI;

import io.vmm4j.software.cpu.Cpu;
import io.vmm4j.software.cpu.Flags;
import io.vmm4j.software.cpu.Instruction;
import io.vmm4j.software.cpu.LeaveReason;
import io.vmm4j.software.cpu.Mmu;
import io.vmm4j.software.cpu.Mnemonic;
import io.vmm4j.software.cpu.OperandPlace;

/** IN, OUT, INS and OUTS with their permission (Intel SDM volume 1, chapter 19). */
final class PortOps {
  private PortOps() {}

  static void execute(Cpu cpu, Instruction in) {
    if (in.mnemonic == Mnemonic.IN || in.mnemonic == Mnemonic.OUT) {
      single(cpu, in);
    } else {
      string(cpu, in);
    }
  }

  private static int size(Instruction in) {
    return Math.min(in.operandSize, 4);
  }

  private static void checkPermission(Cpu cpu, int port, int size) {
    boolean v86 = (cpu.systemFlags & Flags.VM) != 0;
    boolean asks = v86 || cpu.protectedMode && cpu.cpl > cpu.iopl();
    if (asks && !TaskState.allowsPorts(cpu, port, size)) {
      throw cpu.raise(GP, 0);
    }
  }

  /** IN and OUT: the port is the immediate or DX. */
  private static void single(Cpu cpu, Instruction in) {
    int size = size(in);
    boolean input = in.mnemonic == Mnemonic.IN;
    OperandPlace place = input ? in.form.second : in.form.first;
    boolean immediate = place == OperandPlace.IMMEDIATE;
    int port = immediate ? (int) in.imm & 0xFF : (int) cpu.gpr[RDX] & 0xFFFF;
    checkPermission(cpu, port, size);
    if (input) {
      int value = cpu.host.readPort(port, size);
      if (size == 1) {
        cpu.setReg8(RAX, true, value);
      } else {
        cpu.setReg(RAX, size, value);
      }
    } else {
      int value = (int) cpu.gpr[RAX] & mask(size);
      cpu.host.writePort(port, size, value);
    }
    cpu.leaveBlock(LeaveReason.PORT);
  }

  private static int mask(int size) {
    return size == 4 ? -1 : (1 << 8 * size) - 1;
  }

  /**
   * INS and OUTS, with and without repeat. Interruptible after each iteration. The permission is
   * checked first, even for a count of 0, as processors of both vendors do.
   */
  private static void string(Cpu cpu, Instruction in) {
    int size = size(in);
    int port = (int) cpu.gpr[RDX] & 0xFFFF;
    boolean input = in.mnemonic == Mnemonic.INS;
    checkPermission(cpu, port, size);
    if (in.repeat == 0) {
      step(cpu, in, input, port, size);
      return;
    }
    long count = cpu.gpr[RCX] & in.addressMask;
    while (count != 0) {
      step(cpu, in, input, port, size);
      cpu.setReg(RCX, in.addressSize, --count);
      boolean stop =
          cpu.signals() != 0 || cpu.pendingDebug != 0 || (cpu.systemFlags & Flags.TF) != 0;
      if (stop && count != 0) {
        cpu.leaveRepeat();
        break;
      }
    }
    cpu.leaveBlock(LeaveReason.PORT);
  }

  private static void step(Cpu cpu, Instruction in, boolean input, int port, int size) {
    int register = input ? RDI : RSI;
    long offset = cpu.gpr[register] & in.addressMask;
    long linear = cpu.linear(input ? ES : in.segment, offset, size, input);
    if (input) {
      cpu.mmu.probe(linear, size, Mmu.WRITE); // a port is not read for nothing
      int value = cpu.host.readPort(port, size);
      cpu.mmu.write(linear, size, value & 0xFFFFFFFFL);
    } else {
      int value = (int) cpu.mmu.read(linear, size);
      cpu.host.writePort(port, size, value);
    }
    long delta = (cpu.systemFlags & Flags.DF) == 0 ? size : -size;
    cpu.setReg(register, in.addressSize, cpu.gpr[register] + delta);
  }
}
