package io.vmm4j.software.cpu;

import static org.assertj.core.api.Assertions.assertThat;

import io.vmm4j.api.backend.CpuFeature;
import java.lang.reflect.Field;
import java.util.Arrays;
import java.util.Collections;
import java.util.HashMap;
import java.util.HashSet;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

/** The instruction table agrees with itself, with the manual and with what executes it. */
class InstructionTableTest {
  /** Flags in the order of the appendix. */
  private static final int[] ORDER = {
    Flags.OF, Flags.SF, Flags.ZF, Flags.AF, Flags.PF, Flags.CF, Flags.TF, Flags.IF, Flags.DF
  };

  /**
   * Intel SDM volume 1, appendix A, EFLAGS Cross-Reference: OF SF ZF AF PF CF TF IF DF, with {@code
   * -} for undefined, {@code .} for an empty field, {@code B} for TM. Shifts and rotates by 1 are
   * rows of their own.
   */
  private static final String APPENDIX =
      """
      AAA       ---B-M...
      AAD       -MM-M-...
      AAM       -MM-M-...
      AAS       ---B-M...
      ADC       MMMMMB...
      ADD       MMMMMM...
      AND       0MM-M0...
      ARPL      ..M......
      BSF       --M---...
      BSR       --M---...
      BT        --.--M...
      BTC       --.--M...
      BTR       --.--M...
      BTS       --.--M...
      CLC       .....0...
      CLD       ........0
      CMC       .....M...
      CMP       MMMMMM...
      CMPS      MMMMMM..T
      CMPXCHG   MMMMMM...
      CMPXCHG8B ..M......
      COMISD    00M0MM...
      COMISS    00M0MM...
      DAA       -MMBMB...
      DAS       -MMBMB...
      DEC       MMMMM....
      DIV       ------...
      FCOMI     00M0MM...
      FCOMIP    00M0MM...
      FUCOMI    00M0MM...
      FUCOMIP   00M0MM...
      IDIV      ------...
      IMUL      M----M...
      INC       MMMMM....
      INS       ........T
      INTO      T........
      LAR       ..M......
      LODS      ........T
      LOOPE     ..T......
      LOOPNE    ..T......
      LSL       ..M......
      MOV_FROM_CR ------...
      MOV_TO_CR ------...
      MOV_FROM_DR ------...
      MOV_TO_DR ------...
      MOVS      ........T
      MUL       M----M...
      NEG       MMMMMM...
      OR        0MM-M0...
      OUTS      ........T
      POPF      MMMMMMMMM
      RCL       -....B...
      RCR       -....B...
      ROL       -....M...
      ROR       -....M...
      RSM       MMMMMMMMM
      SAHF      .MMMMM...
      SAR       -MM-MM...
      SBB       MMMMMB...
      SCAS      MMMMMM..T
      SHL       -MM-MM...
      SHLD      -MM-MM...
      SHR       -MM-MM...
      SHRD      -MM-MM...
      STC       .....1...
      STD       ........1
      STOS      ........T
      SUB       MMMMMM...
      TEST      0MM-M0...
      UCOMISD   00M0MM...
      UCOMISS   00M0MM...
      VERR      ..M......
      VERW      ..M......
      XADD      MMMMMM...
      XOR       0MM-M0...
      """;

  private static final String SHIFTS_BY_ONE =
      """
      RCL       M....B...
      RCR       M....B...
      ROL       M....M...
      ROR       M....M...
      SAR       MMM-MM...
      SHL       MMM-MM...
      SHR       MMM-MM...
      """;

  /** Not told in the appendix, but on the pages of volume 2. */
  private static final Set<String> MORE_THAN_APPENDIX =
      Set.of(
          "ADCX",
          "ADOX",
          "ANDN",
          "BEXTR",
          "BLSI",
          "BLSMSK",
          "BLSR",
          "BZHI",
          "CMOVCC",
          "IRET",
          "JCC",
          "LAHF",
          "LZCNT",
          "PCMPESTRI",
          "PCMPESTRM",
          "PCMPISTRI",
          "PCMPISTRM",
          "POPCNT",
          "PTEST",
          "PUSHF",
          "RDRAND",
          "RDSEED",
          "SALC",
          "SETCC",
          "SYSCALL",
          "SYSRET",
          "TZCNT",
          "VTESTPD",
          "VTESTPS",
          "FCMOVB",
          "FCMOVBE",
          "FCMOVE",
          "FCMOVNB",
          "FCMOVNBE",
          "FCMOVNE",
          "FCMOVNU",
          "FCMOVU");

  private final List<InstructionForm> forms = InstructionTable.forms();

  // ---- with itself ----

  @Test
  void everyConstantOfMnemonicHasItsNumberInTheTable() throws IllegalAccessException {
    Map<String, Integer> constants = new HashMap<>();
    for (Field field : Mnemonic.class.getDeclaredFields()) {
      constants.put(field.getName(), field.getInt(null));
    }
    Map<String, Integer> table =
        IntStream.range(0, MnemonicTable.SIZE)
            .filter(i -> MnemonicTable.name(i) != null)
            .boxed()
            .collect(Collectors.toMap(MnemonicTable::name, i -> i));
    assertThat(table).isEqualTo(constants);
  }

  @Test
  void everyMnemonicHasARow() {
    Set<String> named = new TreeSet<>();
    named.add("UNDEFINED");
    forms.forEach(form -> named.add(form.name()));
    Set<String> all = new TreeSet<>();
    for (int i = 0; i < MnemonicTable.SIZE; i++) {
      if (MnemonicTable.name(i) != null) {
        all.add(MnemonicTable.name(i));
      }
    }
    assertThat(named).isEqualTo(all);
  }

  @Test
  void everyRowIsReachedByADecode() {
    Set<InstructionForm> reached = Collections.newSetFromMap(new IdentityHashMap<>());
    for (int codeSize : new int[] {4, 8}) {
      BareCpu processor = BareCpu.with(codeSize, CpuFeature.values());
      for (Encodings.Encoding encoding : Encodings.ofAllRows(codeSize).values()) {
        reached.add(decode(processor, encoding.bytes(0x11)).form);
      }
    }
    assertThat(forms)
        .filteredOn(form -> form.mnemonic != Mnemonic.RESERVED)
        .allSatisfy(form -> assertThat(reached).as(describe(form)).contains(form));
  }

  @Test
  void rowsOfAnOpcodeAgreeAboutModrm() {
    for (InstructionForm form : forms) {
      if (form.mnemonic != Mnemonic.RESERVED) {
        assertThat(form.hasModrm)
            .as(describe(form))
            .isEqualTo(InstructionTable.hasModrm(form.opcode, form.isVex));
      }
    }
  }

  @Test
  void noRowIsThereTwice() {
    Set<String> seen = new HashSet<>();
    for (String rows :
        List.of(
            InstructionRows.ONE_BYTE,
            InstructionRows.X87,
            InstructionRows.TWO_BYTE,
            InstructionRows.THREE_BYTE,
            VexRows.GENERAL,
            VexRows.TWO_BYTE,
            VexRows.THREE_BYTE)) {
      rows.lines().forEach(row -> assertThat(seen.add(row)).as(row).isTrue());
    }
  }

  private static Instruction decode(BareCpu processor, int[] bytes) {
    processor.code(bytes);
    return new Decoder(processor.cpu).block(BareCpu.CODE, BareCpu.CODE).instructions[0];
  }

  private static String describe(InstructionForm form) {
    return "%x %s %s".formatted(form.opcode, form.name(), form.operands());
  }

  // ---- with the manual ----

  private static int mask(String letters, String which) {
    int mask = 0;
    for (int i = 0; i < ORDER.length; i++) {
      if (which.indexOf(letters.charAt(i)) >= 0) {
        mask |= ORDER[i];
      }
    }
    return mask & (Flags.ARITHMETIC | Flags.DF);
  }

  private static Map<String, String> lines(String text) {
    return text.lines()
        .map(line -> line.split(" +"))
        .collect(Collectors.toMap(words -> words[0], words -> words[1]));
  }

  @Test
  void flagsAreThoseOfTheAppendix() {
    Map<String, String> appendix = lines(APPENDIX);
    Map<String, String> byOne = lines(SHIFTS_BY_ONE);
    for (InstructionForm form : forms) {
      String letters =
          form.second == OperandPlace.ONE ? byOne.get(form.name()) : appendix.get(form.name());
      boolean more = MORE_THAN_APPENDIX.contains(form.name());
      if (letters == null && more) {
        continue;
      }
      String expected = letters == null ? "........." : letters;
      assertThat(form.flagsWritten).as(describe(form)).isEqualTo(mask(expected, "MB01"));
      assertThat(form.flagsUndefined).as(describe(form)).isEqualTo(mask(expected, "-"));
      int read = form.mnemonic == Mnemonic.CMC ? Flags.CF : mask(expected, "TB");
      assertThat(form.flagsRead).as(describe(form)).isEqualTo(read);
    }
  }

  @Test
  void privilegedInstructionsAreThoseOfTheManual() {
    // Intel SDM volume 3, 5.9, and those of volume 2 that are #UD at another level
    Set<String> privileged =
        forms.stream()
            .filter(form -> form.isPrivileged)
            .map(InstructionForm::name)
            .collect(Collectors.toSet());
    assertThat(privileged)
        .containsExactlyInAnyOrder(
            "CLAC",
            "CLTS",
            "HLT",
            "INVD",
            "INVLPG",
            "INVPCID",
            "LGDT",
            "LIDT",
            "LLDT",
            "LMSW",
            "LTR",
            "MOV_FROM_CR",
            "MOV_FROM_DR",
            "MOV_TO_CR",
            "MOV_TO_DR",
            "RDMSR",
            "STAC",
            "SWAPGS",
            "SYSEXIT",
            "SYSRET",
            "WBINVD",
            "WRMSR",
            "XSETBV");
  }

  @Test
  void lockIsAllowedForTheInstructionsOfTheManual() {
    // Intel SDM volume 2, LOCK
    Set<String> allowed =
        forms.stream()
            .filter(form -> form.allowsLock)
            .map(InstructionForm::name)
            .collect(Collectors.toSet());
    assertThat(allowed)
        .containsExactlyInAnyOrder(
            "ADC",
            "ADD",
            "AND",
            "BTC",
            "BTR",
            "BTS",
            "CMPXCHG",
            "CMPXCHG8B",
            "DEC",
            "INC",
            "NEG",
            "NOT",
            "OR",
            "SBB",
            "SUB",
            "XADD",
            "XCHG",
            "XOR");
    assertThat(forms).filteredOn(form -> form.allowsLock).allMatch(f -> f.first == OperandPlace.RM);
  }

  // ---- with what executes it ----

  /** The integer instructions that only work on registers and flags. */
  private static boolean isPlain(InstructionForm form) {
    return switch (form.executor) {
      case INTEGER, BIT, DECIMAL, BIT_MANIPULATION ->
          !form.accessesImplicitMemory
              && form.mnemonic != Mnemonic.DIV
              && form.mnemonic != Mnemonic.IDIV;
      default -> false;
    };
  }

  @Test
  void otherFlagsStayAndOnlyTheFlagsReadMatter() {
    int tested = 0;
    for (int codeSize : new int[] {4, 8}) {
      // given all rows whose instructions work on registers
      BareCpu processor = BareCpu.with(codeSize, CpuFeature.values());
      for (Encodings.Encoding encoding : Encodings.ofAllRows(codeSize).values()) {
        Instruction in = decode(processor, encoding.bytes(0x11));
        if (isPlain(in.form) && !in.isMemory) {
          checkFlags(processor, in);
          tested++;
        }
      }
    }
    assertThat(tested).isGreaterThan(500);
  }

  private static void checkFlags(BareCpu processor, Instruction in) {
    InstructionForm form = in.form;
    Random random = new Random(form.opcode);
    for (int i = 0; i < 20; i++) {
      long[] registers = random.longs(16).toArray();
      int flags = random.nextInt() & Flags.ARITHMETIC;
      int changed = flags ^ random.nextInt() & Flags.ARITHMETIC & ~form.flagsRead;

      // when one is executed with two sets of flags that only differ in flags it does not read
      Outcome first = execute(processor, in, registers, flags);
      Outcome second = execute(processor, in, registers, changed);

      // then both come to the same, and flags it does not write are as they were
      int kept = ~(form.flagsWritten | form.flagsUndefined) & Flags.ARITHMETIC;
      int same = form.flagsWritten & ~form.flagsKept & Flags.ARITHMETIC;
      assertThat(first.flags & kept).as(describe(form)).isEqualTo(flags & kept);
      assertThat(second.flags & kept).as(describe(form)).isEqualTo(changed & kept);
      assertThat(first.flags & same).as(describe(form)).isEqualTo(second.flags & same);
      assertThat(first.registers).as(describe(form)).isEqualTo(second.registers);
    }
  }

  private record Outcome(List<Long> registers, int flags) {}

  private static Outcome execute(BareCpu processor, Instruction in, long[] registers, int flags) {
    Cpu cpu = processor.cpu;
    System.arraycopy(registers, 0, cpu.gpr, 0, 16);
    cpu.setArithmeticFlags(flags);
    switch (in.form.executor) {
      case BIT -> BitOps.execute(cpu, in);
      case DECIMAL -> DecimalOps.execute(cpu, in);
      case BIT_MANIPULATION -> BitManipulation.execute(cpu, in);
      default -> IntegerOps.execute(cpu, in);
    }
    List<Long> after = Arrays.stream(cpu.gpr, 0, 16).boxed().toList();
    return new Outcome(after, cpu.eflags() & Flags.ARITHMETIC);
  }
}
