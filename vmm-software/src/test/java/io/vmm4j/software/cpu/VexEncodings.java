package io.vmm4j.software.cpu;

import io.vmm4j.api.backend.CpuFeature;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;

/** All encodings of vector instructions with VEX, found by trying every one. */
public final class VexEncodings {
  /**
   * An encoding.
   *
   * @param prefix VEX.pp: 0 none, 1 for 66, 2 for F3, 3 for F2
   * @param opcode as {@link Instruction#opcode}
   * @param extension ModRM.reg where that is part of the opcode, or -1
   * @param hasSecond whether VEX.vvvv is a register
   * @param hasIndices whether SIB has a vector of indices
   */
  public record Encoding(
      int prefix,
      int opcode,
      int extension,
      boolean l,
      boolean w,
      boolean memory,
      boolean hasSecond,
      boolean hasIndices,
      boolean hasImmediate,
      int bytes) {}

  private VexEncodings() {}

  /** All of them that a processor with some features has. */
  public static List<Encoding> all(Set<CpuFeature> features) {
    Cpu cpu = BareCpu.with(8, features.toArray(CpuFeature[]::new)).cpu;
    List<Encoding> found = new ArrayList<>();
    for (int opcode = 0x100; opcode < 0x400; opcode++) {
      for (int variant = 0; variant < 32; variant++) {
        InstructionBuilder in = new InstructionBuilder();
        in.codeSize = 8;
        in.vex = true;
        in.opcode = opcode;
        in.mandatoryPrefix = variant & 3;
        in.vexL = (variant & 4) != 0;
        in.vexW = (variant & 8) != 0;
        in.isMemory = (variant & 16) != 0;
        add(found, cpu, in);
      }
    }
    return List.copyOf(found);
  }

  private static void add(List<Encoding> found, Cpu cpu, InstructionBuilder in) {
    Set<Integer> extensions = new TreeSet<>();
    for (int extension = 0; extension < 8; extension++) {
      in.modrm = extension << 3;
      if (InstructionTable.find(in, cpu.system.cpuid).mnemonic > Mnemonic.RESERVED || gathers(in)) {
        extensions.add(extension);
      }
    }
    for (int extension : extensions) {
      in.modrm = extension << 3;
      in.vectorIndex = gathers(in) ? 0 : -1;
      InstructionForm form = InstructionTable.find(in, cpu.system.cpuid);
      if (form.mnemonic <= Mnemonic.RESERVED || !new Instruction(in, form).usesVectors()) {
        continue;
      }
      boolean group = extensions.size() < 8;
      found.add(
          new Encoding(
              in.mandatoryPrefix,
              in.opcode,
              group ? extension : -1,
              in.vexL,
              in.vexW,
              in.isMemory,
              form.first.isInVex() || form.second.isInVex() || form.third.isInVex(),
              in.vectorIndex >= 0,
              form.immediate != InstructionForm.Immediate.NONE,
              form.operandBytes(new Instruction(in, form))));
      if (!group) {
        return;
      }
    }
  }

  private static boolean gathers(InstructionBuilder in) {
    return in.isMemory && in.opcode >= 0x290 && in.opcode <= 0x293;
  }
}
