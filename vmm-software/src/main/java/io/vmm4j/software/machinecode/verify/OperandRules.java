package io.vmm4j.software.machinecode.verify;

import static io.vmm4j.software.machinecode.verify.Convention.ADDRESS;
import static io.vmm4j.software.machinecode.verify.Convention.BASE;
import static io.vmm4j.software.machinecode.verify.Convention.BUDGET;
import static io.vmm4j.software.machinecode.verify.Convention.INDEX;
import static io.vmm4j.software.machinecode.verify.Convention.RAX;
import static io.vmm4j.software.machinecode.verify.Convention.RDI;
import static io.vmm4j.software.machinecode.verify.Convention.RSI;
import static io.vmm4j.software.machinecode.verify.Convention.RSP;
import static io.vmm4j.software.machinecode.verify.Refused.require;

import io.vmm4j.software.machinecode.verify.CodeContract.Field;
import io.vmm4j.software.machinecode.verify.HostForm.Operand;
import io.vmm4j.software.machinecode.verify.HostForm.Operation;

/** What an instruction may do by its operands: the registers and the memory that it accesses. */
final class OperandRules {
  /** Offsets from the base that fields can have. */
  private static final int FIELDS_BEGIN = -128;

  private static final int FIELDS_END = 1024;

  // RFLAGS.
  private static final int IF = 0x200;
  private static final int DF = 0x400;
  private static final int AC = 0x40000;

  private final CodeContract contract;

  /** For each byte from {@link #FIELDS_BEGIN} on: the field it is in, from 1 on. */
  private final byte[] fieldAt = new byte[FIELDS_END - FIELDS_BEGIN];

  private boolean supervisor;

  OperandRules(CodeContract contract) {
    this.contract = contract;
    for (int i = 0; i < contract.fields().size(); i++) {
      Field f = contract.fields().get(i);
      for (int j = 0; j < f.bytes(); j++) {
        fieldAt[f.offset() + j - FIELDS_BEGIN] = (byte) (i + 1);
      }
    }
  }

  /** Begins a piece. */
  void begin(boolean forSupervisor) {
    supervisor = forSupervisor;
  }

  /** Takes an instruction of which no more is known than its operands. */
  void apply(HostInstruction in, PathState s) {
    HostForm form = in.form;
    Operand rm = form.rm();
    if (rm != null && in.memory) {
      memory(in, rm, s);
    } else if (rm != null) {
      use(in, rm, in.rm, s);
    }
    if (form.reg() != null) {
      use(in, form.reg(), in.reg, s);
    }
    if (form.low() != null) {
      use(in, form.low(), in.low, s);
    }
    if (form.vex() != null) {
      use(in, form.vex(), in.vexRegister, s);
    }
    if (form.operation() == Operation.VZERO) {
      guestChanges(s);
    }
    if (form.accumulator() != null && form.accumulator().writes() || form.writes() != 0) {
      guestChanges(s);
    }
    // All have been read before the first is written.
    if (rm != null && !in.memory) {
      written(in, rm, in.rm, s);
    }
    if (form.reg() != null) {
      written(in, form.reg(), in.reg, s);
    }
    if (form.low() != null) {
      written(in, form.low(), in.low, s);
    }
    if (form.vex() != null) {
      written(in, form.vex(), in.vexRegister, s);
    }
    if (form.accumulator() != null && form.accumulator().writes()) {
      s.written(RAX, in.bytes(form.accumulator().size()));
    }
    for (int register = 0; form.writes() >> register != 0; register++) {
      if ((form.writes() >> register & 1) != 0) {
        s.written(register, 8);
      }
    }
    if (form.writesFlags()) {
      s.flags = PathState.FLAGS_ANY;
    }
  }

  /** A register is an operand. */
  private static void use(HostInstruction in, Operand o, int number, PathState s) {
    if (o.vector()) {
      if (o.writes()) {
        guestChanges(s);
      }
      return;
    }
    int register = in.general(number, o);
    require(
        register != BASE && register != RSP && register != BUDGET,
        "the base, the budget or the stack pointer is an operand");
    if (o.reads()) {
      read(s, register, in.bytes(o.size()));
    }
    if (o.writes() && register != ADDRESS && register != INDEX) {
      guestChanges(s);
    }
  }

  private static void written(HostInstruction in, Operand o, int number, PathState s) {
    if (o.writes() && !o.vector()) {
      s.written(in.general(number, o), in.bytes(o.size()));
    }
  }

  /** A register is read as what the guest may see. */
  static void read(PathState s, int register, int size) {
    boolean secret =
        switch (register) {
          case ADDRESS -> PathState.isSecret(s.address);
          case INDEX -> size > s.indexSeen;
          case RSI -> PathState.isSecret(s.source);
          case RDI -> PathState.isSecret(s.destination);
          default -> false;
        };
    require(!secret, "a value of the host is read");
  }

  static void guestChanges(PathState s) {
    require(s.budget == PathState.REACHED, "the block's instructions are not paid yet");
  }

  // ---- memory ----

  private void memory(HostInstruction in, Operand o, PathState s) {
    int size = in.bytes(o.memorySize());
    if (size == 0) {
      part(in.base, s);
      part(in.index, s);
      return;
    }
    if (in.isAt(BASE)) {
      field(in, o, size, s);
      return;
    }
    guestChanges(s);
    require(in.isAt(ADDRESS) && s.is(PathState.HOST), "this address did not come out of a check");
    int end = in.displacement + size;
    require(
        in.displacement >= 0 && end <= PathState.bytes(s.address),
        "the access is longer than what was checked");
    require(!o.writes() || PathState.isWritable(s.address), "a store to what is checked for loads");
    if (isBitTest(in) && in.form.reg() != null) {
      require(
          in.regIs(INDEX) && s.indexMost >= 0 && s.indexMost < 8L * size,
          "the bit may lie behind what was checked");
    }
    int alignment = alignment(in, o, size);
    require(
        PathState.alignment(s.address) >= alignment && (in.displacement & alignment - 1) == 0,
        "the address may be misaligned");
  }

  /** A register is part of an address that is only computed. */
  private static void part(int register, PathState s) {
    require(register != HostInstruction.RIP, "an address relative to RIP");
    if (register == HostInstruction.NONE) {
      return;
    }
    require(
        register != BASE && register != RSP && register != BUDGET,
        "the base, the budget or the stack pointer is an operand");
    read(s, register, 8);
  }

  /** What an address has to be a multiple of, or the host's processor may raise an exception. */
  private static int alignment(HostInstruction in, Operand o, int size) {
    boolean atomic = in.lock || in.form.operation() == Operation.XCHG;
    boolean wide = in.form.operation() == Operation.CMPXCHG16B && size == 16;
    return atomic || wide || o.memorySize() == 'a' ? size : 1;
  }

  private static boolean isBitTest(HostInstruction in) {
    return switch (in.form.operation()) {
      case BT, BTS, BTR, BTC -> true;
      default -> false;
    };
  }

  private void field(HostInstruction in, Operand o, int size, PathState s) {
    int first = in.displacement - FIELDS_BEGIN;
    boolean inside = first >= 0 && first + size <= fieldAt.length;
    int number = inside ? fieldAt[first] : 0;
    require(
        number != 0 && number == fieldAt[first + size - 1],
        "no field of the state block that code may touch");
    require(!isBitTest(in) || in.form.reg() == null, "the bit may lie behind the field");
    Field field = contract.fields().get(number - 1);
    require(
        field.allows(o.writes(), supervisor),
        "a field of the state block that this code may not access so");
    if (o.writes()) {
      guestChanges(s);
    }
    int temporary = contract.temporaries().indexOf(field.offset());
    if (temporary >= 0) {
      temporary(temporary, in.displacement - field.offset(), o, size, s);
    } else if (field.offset() == contract.systemFlags() && o.writes()) {
      systemFlags(in, size, s);
    }
  }

  private static void temporary(int which, int offset, Operand o, int size, PathState s) {
    int seen = s.keptSeen[which];
    require(!o.reads() || offset + size <= seen, "a value of the host is read");
    if (o.writes()) {
      int now = offset <= seen ? Math.max(seen, offset + size) : seen;
      s.keep(which, size == 8 ? PathState.ANY : PathState.SECRET, now);
    }
  }

  /** Bits of RFLAGS are set by OR of a constant, and cleared by AND. */
  private void systemFlags(HostInstruction in, int size, PathState s) {
    boolean sets = in.form.name().equals("OR");
    boolean constant = in.form.immediate() != null && size == 4;
    require(
        constant && (sets || in.form.operation() == Operation.AND),
        "RFLAGS are changed by other than a bit");
    int bits = sets ? (int) in.immediate : ~(int) in.immediate;
    int allowed = supervisor ? DF | IF | AC : DF;
    require((bits & ~allowed) == 0, "a bit of RFLAGS that this code may not change");
    if ((bits & AC) != 0) {
      s.access = sets ? PathState.ACCESS_SET : PathState.ACCESS_CLEARED;
    }
  }
}
