package io.vmm4j.software.cpu;

import io.vmm4j.api.backend.CpuFeature;
import java.util.IdentityHashMap;
import java.util.Map;

/** Finds an encoding for each row of the instruction table, by trying all. */
final class Encodings {
  private static final int[] PREFIX_BYTES = {0, 0x66, 0xF3, 0xF2};

  /** What decodes to a row: enough of an instruction to write its bytes. */
  record Encoding(
      int codeSize,
      boolean vex,
      int prefix,
      boolean rexB,
      boolean l,
      boolean w,
      int opcode,
      int modrm) {
    /** Its bytes, with bytes behind it for whatever it has besides. */
    int[] bytes(int behind) {
      int[] out = new int[16];
      int n = 0;
      if (vex) {
        out[n++] = 0xC4;
        out[n++] = 0xE0 | opcode >> 8;
        out[n++] = 0x78 | prefix | (l ? 4 : 0) | (w ? 0x80 : 0);
      } else {
        if (prefix != 0) {
          out[n++] = PREFIX_BYTES[prefix];
        }
        if (rexB) {
          out[n++] = 0x41;
        }
        if (opcode >= 0x100) {
          out[n++] = 0x0F;
        }
        if (opcode >= 0x200) {
          out[n++] = opcode >= 0x300 ? 0x3A : 0x38;
        }
      }
      out[n++] = opcode & 0xFF;
      if (InstructionTable.hasModrm(opcode, vex)) {
        out[n++] = modrm;
      }
      while (n < out.length) {
        out[n++] = behind;
      }
      return out;
    }
  }

  private Encodings() {}

  /** An encoding for each row that code of a size can have. */
  static Map<InstructionForm, Encoding> ofAllRows(int codeSize) {
    Map<InstructionForm, Encoding> found = new IdentityHashMap<>();
    Cpu cpu = BareCpu.with(codeSize, CpuFeature.values()).cpu;
    for (boolean vex : new boolean[] {false, true}) {
      for (int opcode = 0; opcode < 0x400; opcode++) {
        for (int variant = 0; variant < (vex ? 16 : codeSize == 8 ? 8 : 4); variant++) {
          boolean fourth = (variant & 4) != 0;
          boolean w = (variant & 8) != 0;
          all(
              found,
              cpu,
              new Encoding(
                  codeSize, vex, variant & 3, fourth && !vex, fourth && vex, w, opcode, 0));
        }
      }
    }
    return found;
  }

  private static void all(Map<InstructionForm, Encoding> found, Cpu cpu, Encoding base) {
    boolean hasModrm = InstructionTable.hasModrm(base.opcode, base.vex);
    // From the top, so that a register is preferred to memory.
    for (int modrm = hasModrm ? 255 : 0; modrm >= 0; modrm--) {
      Encoding encoding =
          new Encoding(
              base.codeSize, base.vex, base.prefix, base.rexB, base.l, base.w, base.opcode, modrm);
      InstructionForm form = InstructionTable.find(builder(encoding), cpu.system.cpuid);
      found.putIfAbsent(form, encoding);
    }
  }

  private static InstructionBuilder builder(Encoding encoding) {
    InstructionBuilder in = new InstructionBuilder();
    in.codeSize = encoding.codeSize;
    in.vex = encoding.vex;
    in.vexL = encoding.l;
    in.vexW = encoding.w;
    in.vectorIndex = (encoding.modrm & 7) == 4 ? 0 : -1;
    in.mandatoryPrefix = encoding.prefix;
    in.opcode = encoding.opcode;
    in.modrm = encoding.modrm;
    boolean hasModrm = InstructionTable.hasModrm(encoding.opcode, encoding.vex);
    in.isMemory =
        hasModrm
            && encoding.modrm < 0xC0
            && (encoding.vex || !InstructionTable.ignoresMod(encoding.opcode));
    in.rm = (hasModrm ? encoding.modrm & 7 : encoding.opcode & 7) | (encoding.rexB ? 8 : 0);
    return in;
  }
}
