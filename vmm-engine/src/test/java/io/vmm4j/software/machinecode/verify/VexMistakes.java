package io.vmm4j.software.machinecode.verify;

import static io.vmm4j.software.machinecode.verify.Convention.BUDGET;

import io.vmm4j.software.machinecode.verify.HostForm.Operation;

/** Mistakes that an emitter of instructions with VEX could make. */
final class VexMistakes extends MistakeList {
  private static final int YMM_BYTES = 32;

  VexMistakes(CodeContract contract) {
    super(contract);
    accesses();
    encodings();
    registers();
  }

  private void accesses() {
    Place narrow =
        access(false, 8)
            .and((code, i) -> code.at(i).bytes(code.at(i).form.rm().memorySize()) < YMM_BYTES);
    add("an access of 32 bytes", "longer", narrow, (code, i) -> code.replace(i, "c4c17e6f07"));
    Place unaligned =
        access(false, 16).and((code, i) -> code.at(i).form.name().matches("MOVUPS|MOVDQU"));
    add(
        "an aligned access with VEX without a test",
        "misaligned",
        unaligned,
        (code, i) -> code.replace(i, "c4c1796f07"));
    add(
        "a store with VEX by the tag for loads",
        "checked for loads",
        unaligned,
        (code, i) -> code.replace(i, "c4c17a7f07"));
  }

  private void encodings() {
    String[][] encodings = {
      {"VMOVDQU with a register in vvvv", "too many", "c4c1726f07"},
      {"VMOVDQU with W", NOT_THERE, "c4c1fa6f07"},
      {"VMOVQ of 256 bits", NOT_THERE, "c4c17e7e07"},
      {"VEX with a map that is none", "no map", "c4c47a6f07"},
      {"VEX of two bytes", NOT_THERE, "c5fa6f07"},
      {"VPGATHERDD", NOT_THERE, "c4c2799007"},
      {"VMASKMOVPS", NOT_THERE, "c4c2712e07"},
      {"VLDMXCSR", NOT_THERE, "c4c178ae17"},
    };
    for (String[] encoding : encodings) {
      add(encoding[0], encoding[1], access(false, 16), (code, i) -> code.replace(i, encoding[2]));
    }
  }

  private void registers() {
    Place access = access(true, 8);
    add(
        "MULX to the base",
        "the base, the budget",
        access,
        (code, i) -> code.insertBehind(i, "c462fbf6e8"));
    add(
        "BLSR to the base",
        "the base, the budget",
        access,
        (code, i) -> code.insertBehind(i, "c4e290f3c8"));
    add(
        "VZEROUPPER before the budget reached",
        NOT_PAID,
        constant(Operation.SUB, BUDGET),
        (code, i) -> code.insertBehind(i, "c4e17877"));
  }
}
