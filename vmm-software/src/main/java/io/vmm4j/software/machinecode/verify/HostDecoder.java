package io.vmm4j.software.machinecode.verify;

import io.vmm4j.software.machinecode.verify.HostForm.Operand;
import org.jspecify.annotations.Nullable;

/**
 * Decodes x86-64 instructions (Intel SDM volume 2, chapter 2) as far as {@link HostForms} has them.
 * VEX is there in its three-byte form. Prefixes that change nothing here, or that a processor may
 * take otherwise, are refused: segments, the address size, a second one of a kind, REX that is not
 * the last.
 */
final class HostDecoder {
  private static final int MOST_BYTES = 15;

  private static final int OPERAND_SIZE = 0x66;
  private static final int LOCK = 0xF0;
  private static final int REPEAT_NOT = 0xF2;
  private static final int REPEAT = 0xF3;

  private static final int VEX = 0xC4;

  private static final int NOP = 0x90;
  private static final int REX_W = 8;
  private static final int REX_R = 4;
  private static final int REX_X = 2;
  private static final int REX_B = 1;

  private final HostForms forms;
  private byte[] code = {};
  private int at;

  HostDecoder(HostForms forms) {
    this.forms = forms;
  }

  /** Begins with a piece of code. */
  void begin(byte[] piece) {
    code = piece;
  }

  /** Behind the end there are zeros; that too much was read shows in {@link #at}. */
  private int next() {
    int here = at++;
    return here < code.length ? code[here] & 0xFF : 0;
  }

  private int next32() {
    return next() | next() << 8 | next() << 16 | next() << 24;
  }

  /**
   * Decodes the instruction at an offset.
   *
   * @return what is wrong, or null if it was decoded
   */
  @Nullable String decode(int offset, HostInstruction to) {
    at = offset;
    to.offset = offset;
    to.length = 1;
    to.form = HostForms.NOTHING;
    boolean narrow = false;
    int repeat = 0;
    to.lock = false;
    to.vex = false;
    to.vexL = false;
    to.vexRegister = 0;
    int b = next();
    if (b == VEX) {
      return decodeVex(offset, to);
    }
    while (b == OPERAND_SIZE || b == LOCK || b == REPEAT || b == REPEAT_NOT) {
      boolean again = b == OPERAND_SIZE ? narrow : b == LOCK ? to.lock : repeat != 0;
      if (again) {
        return "a prefix is there twice";
      }
      narrow |= b == OPERAND_SIZE;
      to.lock |= b == LOCK;
      repeat = b == REPEAT || b == REPEAT_NOT ? b : repeat;
      b = next();
    }
    int rex = 0;
    to.rex = b >> 4 == 4;
    if (to.rex) {
      rex = b;
      b = next();
    }
    to.wide = (rex & REX_W) != 0;
    to.operandSize = to.wide ? 8 : narrow ? 2 : 4;
    int map = 0;
    if (b == 0x0F) {
      map = 1;
      b = next();
      if (b == 0x38 || b == 0x3A) {
        map = b == 0x38 ? 2 : 3;
        b = next();
      }
    }
    int prefix = repeat == REPEAT ? 2 : repeat == REPEAT_NOT ? 3 : narrow ? 1 : 0;
    to.condition = b & 15;
    to.low = b & 7 | (rex & REX_B) << 3;
    int extension = 0;
    boolean hasModRm = forms.hasModRm(map, b, prefix);
    int modRm = 0;
    if (hasModRm) {
      modRm = next();
      extension = modRm >> 3 & 7;
    }
    HostForm form = forms.find(map, b, prefix, extension);
    boolean exchanges = map == 0 && b == NOP && rex != 0; // with a register: no NOP
    if (form == null || exchanges) {
      to.length = at - offset;
      return "no instruction that may occur";
    }
    if (form.wideOnly() && !to.wide || repeat != 0 && narrow && !form.hasOperandSize()) {
      return "no form of " + form.name() + " that may occur";
    }
    to.form = form;
    to.memory = false;
    if (hasModRm) {
      modRm(to, modRm, rex);
    }
    immediate(to, form.immediate());
    to.length = at - offset;
    if (at > code.length) {
      return "the code ends within it";
    }
    return to.length > MOST_BYTES ? "it is too long" : operands(to, form);
  }

  /** Chapter 2.3.5: C4; R, X, B inverted and the map; W, vvvv inverted, L and the prefix. */
  private @Nullable String decodeVex(int offset, HostInstruction to) {
    int first = next();
    int second = next();
    int opcode = next();
    int rex = (~first >> 5 & 7) | (second >> 7) << 3;
    int map = first & 0x1F;
    to.vex = true;
    to.vexL = (second & 4) != 0;
    to.vexRegister = ~second >> 3 & 15;
    to.rex = false;
    to.wide = second >> 7 != 0;
    to.operandSize = to.wide ? 8 : 4;
    to.condition = 0;
    to.low = 0;
    if (map == 0 || map > 3) {
      return "no map of VEX";
    }
    int vexMap = HostForms.VEX + map;
    int prefix = second & 3; // as HostForms numbers them
    boolean hasModRm = forms.hasModRm(vexMap, opcode, prefix);
    int modRm = hasModRm ? next() : 0;
    HostForm form = forms.find(vexMap, opcode, prefix, modRm >> 3 & 7);
    if (form == null) {
      to.length = at - offset;
      return "no instruction that may occur";
    }
    to.form = form;
    to.memory = false;
    if (hasModRm) {
      modRm(to, modRm, rex);
    }
    immediate(to, form.immediate());
    to.length = at - offset;
    if (at > code.length) {
      return "the code ends within it";
    }
    if ((form.lengths() >> (to.vexL ? 1 : 0) & 1) == 0
        || (form.widths() >> (to.wide ? 1 : 0) & 1) == 0) {
      return "no form of " + form.name() + " that may occur";
    }
    Operand vex = form.vex();
    boolean none = vex == null || to.memory && !vex.registers();
    if (none && to.vexRegister != 0) {
      return "VEX has a register too many";
    }
    return operands(to, form);
  }

  /** Refuses registers where memory has to be and the other way round. */
  private static @Nullable String operands(HostInstruction to, HostForm form) {
    Operand rm = form.rm();
    if (rm != null && !(to.memory ? rm.memory() : rm.registers())) {
      return to.memory ? "memory can't be an operand here" : "a register can't be an operand here";
    }
    if (to.lock && !(form.lockable() && to.memory)) {
      return "LOCK can't be here";
    }
    return null;
  }

  /** Chapter 2, tables 2-2, 2-3 and 2-5. */
  private void modRm(HostInstruction to, int modRm, int rex) {
    int mode = modRm >> 6;
    int rm = modRm & 7;
    to.reg = modRm >> 3 & 7 | (rex & REX_R) << 1;
    to.rm = rm | (rex & REX_B) << 3;
    to.memory = mode != 3;
    if (mode == 3) {
      return;
    }
    to.index = HostInstruction.NONE;
    to.scale = 0;
    to.base = to.rm;
    boolean noBase = false;
    if (rm == 4) {
      int sib = next();
      int index = sib >> 3 & 7 | (rex & REX_X) << 2;
      to.index = index == 4 ? HostInstruction.NONE : index;
      to.scale = sib >> 6;
      to.base = sib & 7 | (rex & REX_B) << 3;
      noBase = (sib & 7) == 5 && mode == 0;
      if (noBase) {
        to.base = HostInstruction.NONE;
      }
    } else if (rm == 5 && mode == 0) {
      noBase = true;
      to.base = HostInstruction.RIP;
    }
    to.displacement = mode == 1 ? (byte) next() : mode == 2 || noBase ? next32() : 0;
  }

  private void immediate(HostInstruction to, @Nullable Operand operand) {
    to.immediate = 0;
    if (operand == null) {
      return;
    }
    to.immediate =
        switch (to.bytes(operand.size())) {
          case 1 -> (byte) next();
          case 2 -> (short) (next() | next() << 8);
          case 4 -> next32();
          default -> next32() & 0xFFFF_FFFFL | (long) next32() << 32;
        };
  }
}
