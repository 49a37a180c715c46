package io.vmm4j.software.cpu;

import io.vmm4j.software.system.Cpuid;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * The instruction table: {@link InstructionRows} by opcode. The decoder, the interpreter and
 * whatever else asks about instructions have their answers from here.
 */
public final class InstructionTable {
  private static final int OPCODES = 0x400;
  private static final int THREE_BYTES = 0x200;
  private static final int WITH_IMMEDIATE = 0x300;

  /** The first opcode that there can be with VEX. */
  private static final int WITH_VEX = 0x100;

  /** The only opcode with VEX that has no ModRM. */
  private static final int VZEROUPPER = 0x177;

  private static final InstructionForm[] NO_ROWS = {};

  /** Not an instruction that is known here: #UD. */
  public static final InstructionForm UNDEFINED = alone("00 UNDEFINED -");

  /** What the manual says is #UD. */
  public static final InstructionForm RESERVED = alone("00 RESERVED -");

  private static final InstructionForm[][] ROWS = new InstructionForm[OPCODES][];
  private static final InstructionForm[][] VEX_ROWS = new InstructionForm[OPCODES][];

  static {
    Arrays.fill(ROWS, NO_ROWS);
    Arrays.fill(VEX_ROWS, NO_ROWS);
    read(InstructionRows.ONE_BYTE);
    read(InstructionRows.X87);
    read(InstructionRows.TWO_BYTE);
    read(InstructionRows.THREE_BYTE);
    read(VexRows.GENERAL);
    read(VexRows.TWO_BYTE);
    read(VexRows.THREE_BYTE);
  }

  private InstructionTable() {}

  private static InstructionForm alone(String row) {
    InstructionRow reader = new InstructionRow(row);
    reader.next();
    return new InstructionForm(reader, reader.opcode);
  }

  private static void read(String rows) {
    InstructionRow row = new InstructionRow(rows);
    while (row.next()) {
      for (int opcode = row.opcode; opcode <= row.lastOpcode; opcode++) {
        add(new InstructionForm(row, opcode));
      }
    }
  }

  private static void add(InstructionForm form) {
    InstructionForm[][] rows = form.isVex ? VEX_ROWS : ROWS;
    InstructionForm[] old = rows[form.opcode];
    InstructionForm[] longer = Arrays.copyOf(old, old.length + 1);
    longer[old.length] = form;
    rows[form.opcode] = longer;
  }

  /** All rows; one of a range of opcodes is there for each of them. */
  public static List<InstructionForm> forms() {
    List<InstructionForm> all = new ArrayList<>();
    for (InstructionForm[][] rows : List.of(ROWS, VEX_ROWS)) {
      for (InstructionForm[] ofOpcode : rows) {
        all.addAll(Arrays.asList(ofOpcode));
      }
    }
    return all;
  }

  /** Whether a ModRM byte follows an opcode, be it defined or not. */
  static boolean hasModrm(int opcode, boolean vex) {
    return vex ? opcode >= WITH_VEX && opcode != VZEROUPPER : hasModrm(opcode);
  }

  /** The same without VEX. */
  static boolean hasModrm(int opcode) {
    return opcode >= THREE_BYTES || ROWS[opcode].length > 0 && ROWS[opcode][0].hasModrm;
  }

  /** Whether ModRM.mod does not matter for an opcode, and ModRM.rm is always a register. */
  static boolean ignoresMod(int opcode) {
    return ROWS[opcode].length > 0 && ROWS[opcode][0].ignoresMod;
  }

  /** The immediate of an encoding of an opcode that is not defined: as that of one that is. */
  static InstructionForm.Immediate immediateOfUndefined(int opcode) {
    if (opcode >= WITH_IMMEDIATE) {
      return InstructionForm.Immediate.BYTE;
    }
    return ROWS[opcode].length > 0 ? ROWS[opcode][0].immediate : InstructionForm.Immediate.NONE;
  }

  /**
   * The row of an instruction whose prefixes, opcode and ModRM are known, or {@link #UNDEFINED} or
   * {@link #RESERVED}. Whether LOCK and the mode allow it is not looked at.
   */
  static InstructionForm find(InstructionBuilder in, Cpuid cpuid) {
    // All of VEX is either here or not claimed by CPUID.
    InstructionForm found = in.vex ? RESERVED : UNDEFINED;
    for (InstructionForm form : (in.vex ? VEX_ROWS : ROWS)[in.opcode]) {
      if (form.fits(in)) {
        if (!form.isMissing(in, cpuid)) {
          return form.mnemonic == Mnemonic.RESERVED ? RESERVED : form;
        }
        found = RESERVED;
      }
    }
    return found;
  }
}
