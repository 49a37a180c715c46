package io.vmm4j.software.differential;

import static io.vmm4j.software.cpu.Flags.AF;

import io.vmm4j.software.cpu.UndefinedFlags;

/**
 * What manuals leave to the processor, and what is done about it here so that two processors that
 * both keep to the manuals come to the same. "SDM" is Intel's Software Developer's Manual, "APM"
 * AMD's Architecture Programmer's Manual; a section with only a mnemonic is that instruction's in
 * volume 2 (SDM) or 3 to 5 (APM). Others have their titles, since numbers change with editions.
 * "Observed" is what a processor does (an AMD EPYC of family 26) and no manual was found to say.
 *
 * <p>Where an undefined value would be carried on, the generator writes an instruction behind that
 * defines it; a case that ends between the two is compared under a {@link Mask}.
 */
enum Freedom {
  FLAGS_OF_LOGIC(
      "AF after AND, OR, XOR and TEST",
      "SDM AND, OR, TEST, XOR: Flags Affected; APM volume 3, Instruction Effects on RFLAGS",
      "defined by PUSHF, AND, POPF, or by CMP",
      UndefinedFlags.LOGIC),
  FLAGS_OF_MULTIPLY(
      "SF, ZF, AF and PF after MUL and IMUL",
      "SDM MUL, IMUL: Flags Affected",
      "as FLAGS_OF_LOGIC",
      UndefinedFlags.MULTIPLY),
  FLAGS_OF_DIVIDE(
      "all arithmetic flags after DIV and IDIV",
      "SDM DIV, IDIV: Flags Affected",
      "as FLAGS_OF_LOGIC",
      UndefinedFlags.DIVIDE),
  FLAGS_OF_BIT_TEST(
      "OF, SF, AF and PF after BT, BTS, BTR and BTC",
      "SDM BT: Flags Affected",
      "as FLAGS_OF_LOGIC",
      UndefinedFlags.BIT_TEST),
  FLAGS_OF_BIT_SCAN(
      "all flags but ZF after BSF and BSR",
      "SDM BSF, BSR: Flags Affected",
      "as FLAGS_OF_LOGIC",
      UndefinedFlags.BIT_SCAN),
  FLAGS_OF_SHIFT(
      "AF after shifts; OF after shifts and rotations by more than 1; CF after SHL and SHR by the"
          + " size or more",
      "SDM RCL/RCR/ROL/ROR, SAL/SAR/SHL/SHR, SHLD, SHRD: Flags Affected",
      "as FLAGS_OF_LOGIC, with the flags that UndefinedFlags.shift gives for the count",
      AF),
  DOUBLE_SHIFT_BEYOND(
      "the result of SHLD and SHRD of 16 bits by more than 16",
      "SDM SHLD, SHRD: Description",
      "not generated",
      0),
  NARROW_SWAP("the result of BSWAP of 16 bits", "SDM BSWAP: Description", "not generated", 0),
  NARROW_BRANCH(
      "near branches with 66 in 64-bit mode, which may truncate RIP to 16 bits",
      "APM volume 1, Branching in 64-Bit Mode: the size is fixed at 64 bits, but by the table"
          + " there it can be overridden to 16",
      "not generated",
      0),
  APPROXIMATION(
      "results of RCPPS, RCPSS, RSQRTPS and RSQRTSS within a relative error of 1.5 * 2^-12",
      "SDM RCPPS, RCPSS, RSQRTPS, RSQRTSS: Description",
      "the register is cleared by XORPS behind",
      0),
  TRANSCENDENTAL(
      "the last bit of FSIN, FCOS, FSINCOS, FPTAN, FPATAN, F2XM1, FYL2X and FYL2XP1, with what C1"
          + " and PE say of it",
      "SDM volume 1, Transcendental Instruction Accuracy: less than 1 ulp if rounded to nearest,"
          + " else 1.5, of the reduced argument",
      "all x87 registers are overwritten behind; TranscendentalOracleTest bounds the error",
      0),
  LAST_X87_INSTRUCTION(
      "FOP, FIP, FCS, FDP and FDS: AMD stores them only while an exception is pending, Intel may"
          + " store selectors as zeros, and FOP only after exceptions",
      "SDM volume 1, x87 FPU Instruction and Data (Operand) Pointers, and Fopcode Compatibility"
          + " Sub-mode; of AMD observed",
      "not compared; overwritten where an image in memory has them",
      0),
  MISALIGNED_SSE(
      "bit 17 of MXCSR, with which AMD lets SSE operands be unaligned",
      "APM volume 1, MXCSR Register: MM; reserved in SDM volume 1, MXCSR Control and Status"
          + " Register",
      "never loaded",
      0),
  IMAGE_RESERVED(
      "bits of FXSAVE and XSAVE images: MXCSR_MASK, and bytes 416 to 511",
      "SDM FXSAVE: the map of the image; SDM volume 1, Guidelines for Writing to the MXCSR"
          + " Register: MXCSR_MASK is the processor's",
      "overwritten",
      0),
  STATE_IN_USE(
      "XSTATE_BV for a component in its initial state; what XSAVEOPT leaves out",
      "SDM volume 1, Processor Tracking of XSAVE-Managed State, and Operation of XSAVEOPT: of a"
          + " component in its initial state the bit may be 0 or 1",
      "overwritten",
      0),
  IMAGE_FAULT_ADDRESS(
      "which byte of an image CR2 names when it lies in an absent page: AMD names the last of it",
      "observed",
      "the page is compared",
      0),
  IMAGE_ALIGNMENT(
      "#AC or #GP for an image of FXRSTOR that is not aligned, while alignment is checked",
      "SDM FXSAVE, FXRSTOR: whether #AC is signaled may vary with implementation",
      "both count as the same",
      0),
  MMX_ENTERED_BY_FAULT(
      "whether the tags and TOP of the x87 have already changed when CVTPI2PS, CVTPS2PI and the"
          + " like, or MASKMOVQ, fault: on AMD they have",
      "observed; SDM MASKMOVQ says that the change comes whatever the mask is, not whether it"
          + " comes before a fault",
      "x87 state is not compared where such an instruction has faulted",
      0),
  MASKED_STORE(
      "faults of MASKMOVQ and MASKMOVDQU on bytes that are masked out",
      "SDM MASKMOVQ, MASKMOVDQU: with a mask of all 0s exceptions of the address, and page faults,"
          + " are implementation dependent",
      "the mask is all ones where the address may fault",
      0),
  EMPTY_PORT_STRING(
      "whether REP INS and REP OUTS with a count of 0 check the segment, as they check the port",
      "SDM REP: Operation: nothing is done; of the port's check observed, on AMD",
      "not compared: the port is checked first, and user code has none",
      0),
  VENDOR(
      "0F 0D with a register: NOP on Intel, #UD on AMD; LOOPNE and LOOPE with F2 or F3: AMD follows"
          + " the prefix; RF after a trap within REP: 1 on Intel, 0 on AMD; bits 16 to 19 of LAR: 0"
          + " on Intel, of the limit on AMD; C1 after FCOMI and its kin: 0 on Intel, as before on AMD",
      "SDM volume 3, Instruction-Breakpoint Exception Condition; SDM LAR: the descriptor masked by"
          + " 00FxFF00H; APM LAR: by 00FFFF00H; SDM FCOMI: FPU Flags Affected; the rest of AMD"
          + " observed",
      "the software CPU is of the host's vendor (CpuVendor)",
      0),
  SPLIT_LOCK(
      "locked accesses across cache lines, which a host's kernel may trap or slow down",
      "no manual's: Linux does so (split_lock_detect), where the processor tells of them",
      "not generated",
      0),
  BEYOND_MODEL(
      "instructions that CPUID denies and the processor has: nothing takes away TZCNT, LZCNT, MOVBE,"
          + " AES, PCLMULQDQ, SHA, ADX, BMI, CLWB, SSE4a and their like",
      "SDM volume 3, Changes to Instruction Behavior in VMX Non-Root Operation: it names those"
          + " that a control can make undefined, and they are not among them",
      "not generated",
      0),
  FLAGS_OF_ZERO_COUNT(
      "OF, SF, PF and AF after TZCNT and LZCNT",
      "SDM TZCNT, LZCNT: Flags Affected",
      "as FLAGS_OF_LOGIC",
      UndefinedFlags.ZERO_COUNT),
  FLAGS_OF_BIT_MANIPULATION(
      "AF and PF after ANDN, BLSI, BLSMSK, BLSR and BZHI",
      "SDM ANDN, BLSI, BLSMSK, BLSR, BZHI: Flags Affected",
      "as FLAGS_OF_LOGIC",
      UndefinedFlags.BIT_MANIPULATION),
  FLAGS_OF_BIT_EXTRACT(
      "SF, AF and PF after BEXTR",
      "SDM BEXTR: Flags Affected",
      "as FLAGS_OF_LOGIC",
      UndefinedFlags.BIT_EXTRACT),
  FORBIDDEN_PREFIX(
      "#UD or #PF for a prefix that VEX forbids where the rest of the instruction is in an absent page:"
          + " AMD does now the one, now the other with REX",
      "observed; SDM volume 3, Priority Among Concurrent Events: faults of fetching come first",
      "not generated at the end of the page",
      0),
  PERMUTE_WIDTH(
      "VPERMQ and VPERMPD with VEX.W clear: #UD by the manual, and as with W set on AMD",
      "SDM VPERMQ, VPERMPD: VEX.256.66.0F3A.W1; of AMD observed",
      "not generated",
      0),
  GATHER_MASK(
      "the mask of a gather that faults, from the element on that does: spread from the sign bits on"
          + " Intel, as it was on AMD",
      "SDM VGATHERDPS: Operation; of AMD observed",
      "the software CPU is of the host's vendor",
      0),
  VECTOR_ALIGNMENT(
      "#AC for vectors in memory with VEX: AMD checks 32 bytes for a multiple of 16, and the elements"
          + " of masked moves and gathers not at all",
      "observed; SDM volume 2, table 2-16 ff.: only that there may be #AC",
      "the software CPU does as AMD's",
      0),
  NESTED_TASK(
      "NT, which a host's kernel may lose when it returns from an interrupt",
      "observed: NT set by POPF is 0 in the frame of a fault if an interrupt lies between",
      "not generated; PopFlagsTest sets and clears it",
      0),
  ENVIRONMENT(
      "CPUID, XGETBV, RDTSC, RDPKRU, WRPKRU, RDRAND, SGDT, SIDT, SLDT, STR, SMSW, SYSCALL, SYSENTER, INT 80h, loads"
          + " of FS and GS: another system is behind them",
      "NativeProcessor runs under the host's",
      "not generated",
      0);

  private final String what;
  private final String source;
  private final String handling;
  private final int flags;

  Freedom(String what, String source, String handling, int flags) {
    this.what = what;
    this.source = source;
    this.handling = handling;
    this.flags = flags;
  }

  /** The flags that are undefined whatever the operands are. */
  int flags() {
    return flags;
  }

  @Override
  public String toString() {
    return what + "; " + source + ": " + handling;
  }

  /** {@link #BEYOND_MODEL}, of the maps that {@link VectorCode} draws from. */
  static boolean isBeyondModel(int prefix, int opcode) {
    return opcode == 0x12B && prefix >= 0xF2; // MOVNTSS, MOVNTSD
  }

  /** {@link #FORBIDDEN_PREFIX}, of an instruction that begins at an offset into the code page. */
  static boolean mayEndInForbiddenPrefix(int offset) {
    return offset > Layout.PAGE - 16;
  }

  /** {@link #PERMUTE_WIDTH}. */
  static boolean ignoresWidth(int opcode) {
    return opcode == 0x300 || opcode == 0x301;
  }

  /** {@link #MMX_ENTERED_BY_FAULT}. */
  static boolean entersMmxEarly(int prefix, int opcode) {
    return switch (opcode) {
      case 0x12A, 0x12C, 0x12D, 0x1F7 -> prefix < 0xF2;
      default -> false;
    };
  }
}
