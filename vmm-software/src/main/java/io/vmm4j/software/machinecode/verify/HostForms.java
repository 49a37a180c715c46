package io.vmm4j.software.machinecode.verify;

import io.vmm4j.software.machinecode.verify.HostForm.Operand;
import io.vmm4j.software.machinecode.verify.HostForm.Operation;
import java.util.Locale;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * The instructions that may occur (Intel SDM volume 2, chapters 3 to 5 and appendix A): integer
 * instructions, SSE to SSE4.2, and those of {@link VexForms}; none that is privileged, changes the
 * state of the system or goes by a segment.
 *
 * <p>A line is: a mandatory prefix (NP for "none may be there"; without a word the operand-size
 * prefix may), the opcode or a range of them, an extension in ModRM.reg, the mnemonic, operands,
 * and what else it does. Operands are those of appendix A, read if nothing is said, written with =,
 * both with +; E and W are a register or memory, R and U a register alone, N a register that is no
 * operand, M memory alone, Z the register in the opcode, A the accumulator, X the element of a
 * string. Strings are repeated ones alone. A second size is that of memory where it is another than
 * the register's; size a is 16 bytes that have to be aligned, x 16 bytes that have not, 0 an
 * address of which nothing is accessed. F writes flags, L may have LOCK, W needs REX.W, !A, !C and
 * !D write RAX, RCX and RDX.
 */
final class HostForms {
  private static final String ARITHMETIC =
      """
      0 %2$s %1$sEb Gb F%3$s
      1 %2$s %1$sEv Gv F%3$s
      2 %2$s %1$sGb Eb F
      3 %2$s %1$sGv Ev F
      4 %2$s %1$sAb Ib F
      5 %2$s %1$sAv Iz F
      """;

  private static final String[] ARITHMETIC_NAMES = {
    "ADD", "OR", "ADC", "SBB", "AND", "SUB", "XOR", "CMP"
  };

  private static final String[] SHIFT_NAMES = {
    "ROL", "ROR", "RCL", "RCR", "SHL", "SHR", "SAL", "SAR"
  };

  private static final String INTEGER =
      """
      NP 63 MOVSXD =Gv Ed W
      69 IMUL =Gv Ev Iz F
      6B IMUL =Gv Ev Ib F
      NP 70-7F JCC Jb
      84 TEST Eb Gb F
      85 TEST Ev Gv F
      86 XCHG +Eb +Gb L
      87 XCHG +Ev +Gv L
      88 MOV =Eb Gb
      89 MOV =Ev Gv
      8A MOV =Gb Eb
      8B MOV =Gv Ev
      8D LEA =Gv M0
      NP 8F/0 POP =Mq
      NP 90 NOP
      98 CBW !A
      99 CWD !D
      NP 9E SAHF F
      NP 9F LAHF !A
      F3 A4 MOVS Xb
      F3 A5 MOVS Xv
      A8 TEST Ab Ib F
      A9 TEST Av Iz F
      F3 AA STOS Ab
      F3 AB STOS Av
      B0-B7 MOV =Zb Ib
      B8-BF MOV =Zv Iv
      C6/0 MOV =Eb Ib
      C7/0 MOV =Ev Iz
      NP E9 JMP Jd
      NP EB JMP Jb
      NP F5 CMC F
      F6/0 TEST Eb Ib F
      F6/2 NOT +Eb L
      F6/3 NEG +Eb F L
      F6/4 MUL Eb F !A
      F6/5 IMUL Eb F !A
      F7/0 TEST Ev Iz F
      F7/2 NOT +Ev L
      F7/3 NEG +Ev F L
      F7/4 MUL Ev F !A !D
      F7/5 IMUL Ev F !A !D
      F7/6 DIV Ev F !A !D
      F7/7 IDIV Ev F !A !D
      NP F8 CLC F
      NP F9 STC F
      FE/0 INC +Eb F L
      FE/1 DEC +Eb F L
      FF/0 INC +Ev F L
      FF/1 DEC +Ev F L
      NP FF/4 JMP Eq
      NP FF/6 PUSH Mq
      0F40-0F4F CMOVcc +Gv Ev
      NP 0F80-0F8F JCC Jd
      0F90-0F9F SETcc =Eb
      0FA3 BT Ev Gv F
      0FA4 SHLD +Ev Gv Ib F
      0FA5 SHLD +Ev Gv F
      0FAB BTS +Ev Gv F L
      0FAC SHRD +Ev Gv Ib F
      0FAD SHRD +Ev Gv F
      NP 0FAE/5 LFENCE N0
      NP 0FAE/6 MFENCE N0
      NP 0FAE/7 SFENCE N0
      0FAF IMUL +Gv Ev F
      0FB0 CMPXCHG +Eb Gb F L !A
      0FB1 CMPXCHG +Ev Gv F L !A
      0FB3 BTR +Ev Gv F L
      0FB6 MOVZX =Gv Eb
      0FB7 MOVZX =Gv Ew
      F3 0FB8 POPCNT =Gv Ev F
      0FBA/4 BT Ev Ib F
      0FBA/5 BTS +Ev Ib F L
      0FBA/6 BTR +Ev Ib F L
      0FBA/7 BTC +Ev Ib F L
      0FBB BTC +Ev Gv F L
      0FBC BSF +Gv Ev F
      0FBD BSR +Gv Ev F
      0FBE MOVSX =Gv Eb
      0FBF MOVSX =Gv Ew
      0FC0 XADD +Eb +Gb F L
      0FC1 XADD +Ev +Gv F L
      NP 0FC7/1 CMPXCHG16B +M2 F L !A !D
      NP 0FC8-0FCF BSWAP +Zv
      0F38F0 MOVBE =Gv Mv
      F2 0F38F0 CRC32 +Gy Eb
      0F38F1 MOVBE =Mv Gv
      F2 0F38F1 CRC32 +Gy Ev
      F3 0FBC TZCNT =Gv Ev F
      F3 0FBD LZCNT =Gv Ev F
      """;

  private static final String VECTOR =
      """
      NP,66 0F10 MOVUPS =Vx Wx
      F3 0F10 MOVSS =Vx Wd
      F2 0F10 MOVSD =Vx Wq
      NP,66 0F11 MOVUPS =Wx Vx
      F3 0F11 MOVSS =Wd Vx
      F2 0F11 MOVSD =Wq Vx
      NP 0F12 MOVLPS =Vx Wq
      66 0F12 MOVLPD =Vx Mq
      F3 0F12 MOVSLDUP =Vx Wa
      F2 0F12 MOVDDUP =Vx Wq
      NP,66 0F13 MOVLPS =Mq Vx
      NP,66 0F14-0F15 UNPCKPS +Vx Wa
      NP 0F16 MOVHPS =Vx Wq
      66 0F16 MOVHPD =Vx Mq
      F3 0F16 MOVSHDUP =Vx Wa
      NP,66 0F17 MOVHPS =Mq Vx
      NP,66 0F28 MOVAPS =Vx Wa
      NP,66 0F29 MOVAPS =Wa Vx
      F3,F2 0F2A CVTSI2SD =Vx Ey
      NP,66 0F2B MOVNTPS =Ma Vx
      F3 0F2C-0F2D CVTSS2SI =Gy Wd
      F2 0F2C-0F2D CVTSD2SI =Gy Wq
      NP 0F2E-0F2F COMISS Vx Wd F
      66 0F2E-0F2F COMISD Vx Wq F
      NP,66 0F50 MOVMSKPS =Gd Ux
      NP,66 0F51 SQRTPS =Vx Wa
      F3 0F51 SQRTSS =Vx Wd
      F2 0F51 SQRTSD =Vx Wq
      NP,66 0F54-0F57 ANDPS +Vx Wa
      NP,66 0F58-0F59 ADDPS +Vx Wa
      F3 0F58-0F59 ADDSS +Vx Wd
      F2 0F58-0F59 ADDSD +Vx Wq
      NP 0F5A CVTPS2PD =Vx Wq
      66 0F5A CVTPD2PS =Vx Wa
      F3 0F5A CVTSS2SD =Vx Wd
      F2 0F5A CVTSD2SS =Vx Wq
      NP,66,F3 0F5B CVTDQ2PS =Vx Wa
      NP,66 0F5C-0F5F SUBPS +Vx Wa
      F3 0F5C-0F5F SUBSS +Vx Wd
      F2 0F5C-0F5F SUBSD +Vx Wq
      66 0F60-0F6D PUNPCKLBW +Vx Wa
      66 0F6E MOVD =Vx Ey
      66 0F6F MOVDQA =Vx Wa
      F3 0F6F MOVDQU =Vx Wx
      66,F3,F2 0F70 PSHUFD =Vx Wa Ib
      66 0F71/2 PSRLW +Ux Ib
      66 0F71/4 PSRAW +Ux Ib
      66 0F71/6 PSLLW +Ux Ib
      66 0F72/2 PSRLD +Ux Ib
      66 0F72/4 PSRAD +Ux Ib
      66 0F72/6 PSLLD +Ux Ib
      66 0F73/2 PSRLQ +Ux Ib
      66 0F73/3 PSRLDQ +Ux Ib
      66 0F73/6 PSLLQ +Ux Ib
      66 0F73/7 PSLLDQ +Ux Ib
      66 0F74-0F76 PCMPEQB +Vx Wa
      66,F2 0F7C-0F7D HADDPD +Vx Wa
      66 0F7E MOVD =Ey Vx
      F3 0F7E MOVQ =Vx Wq
      66 0F7F MOVDQA =Wa Vx
      F3 0F7F MOVDQU =Wx Vx
      NP,66 0FC2 CMPPS +Vx Wa Ib
      F3 0FC2 CMPSS +Vx Wd Ib
      F2 0FC2 CMPSD +Vx Wq Ib
      66 0FC4 PINSRW +Vx Edw Ib
      66 0FC5 PEXTRW =Gd Ux Ib
      NP,66 0FC6 SHUFPS +Vx Wa Ib
      66,F2 0FD0 ADDSUBPD +Vx Wa
      66 0FD1-0FD5 PSRLW +Vx Wa
      66 0FD6 MOVQ =Wq Vx
      66 0FD7 PMOVMSKB =Gd Ux
      66 0FD8-0FE5 PSUBUSB +Vx Wa
      66,F2 0FE6 CVTTPD2DQ =Vx Wa
      F3 0FE6 CVTDQ2PD =Vx Wq
      66 0FE7 MOVNTDQ =Ma Vx
      66 0FE8-0FEF PSUBSB +Vx Wa
      F2 0FF0 LDDQU =Vx Mx
      66 0FF1-0FF6 PSLLW +Vx Wa
      66 0FF8-0FFE PSUBB +Vx Wa
      66 0F3800-0F380B PSHUFB +Vx Wa
      66 0F3810 PBLENDVB +Vx Wa
      66 0F3814-0F3815 BLENDVPS +Vx Wa
      66 0F3817 PTEST Vx Wa F
      66 0F381C-0F381E PABSB =Vx Wa
      66 0F3820 PMOVSXBW =Vx Wq
      66 0F3821 PMOVSXBD =Vx Wd
      66 0F3822 PMOVSXBQ =Vx Ww
      66 0F3823 PMOVSXWD =Vx Wq
      66 0F3824 PMOVSXWQ =Vx Wd
      66 0F3825 PMOVSXDQ =Vx Wq
      66 0F3828-0F3829 PMULDQ +Vx Wa
      66 0F382A MOVNTDQA =Vx Ma
      66 0F382B PACKUSDW +Vx Wa
      66 0F3830 PMOVZXBW =Vx Wq
      66 0F3831 PMOVZXBD =Vx Wd
      66 0F3832 PMOVZXBQ =Vx Ww
      66 0F3833 PMOVZXWD =Vx Wq
      66 0F3834 PMOVZXWQ =Vx Wd
      66 0F3835 PMOVZXDQ =Vx Wq
      66 0F3837-0F3841 PCMPGTQ +Vx Wa
      66 0F3A08-0F3A09 ROUNDPS =Vx Wa Ib
      66 0F3A0A ROUNDSS +Vx Wd Ib
      66 0F3A0B ROUNDSD +Vx Wq Ib
      66 0F3A0C-0F3A0F BLENDPS +Vx Wa Ib
      66 0F3A14 PEXTRB =Edb Vx Ib
      66 0F3A15 PEXTRW =Edw Vx Ib
      66 0F3A16 PEXTRD =Ey Vx Ib
      66 0F3A17 EXTRACTPS =Ed Vx Ib
      66 0F3A20 PINSRB +Vx Edb Ib
      66 0F3A21 INSERTPS +Vx Wd Ib
      66 0F3A22 PINSRD +Vx Ey Ib
      66 0F3A40-0F3A42 DPPS +Vx Wa Ib
      66 0F3A60 PCMPESTRM Vx Wx Ib F
      66 0F3A61 PCMPESTRI Vx Wx Ib F !C
      66 0F3A62 PCMPISTRM Vx Wx Ib F
      66 0F3A63 PCMPISTRI Vx Wx Ib F !C
      """;

  /** What only the way in and the way out may contain. */
  private static final String STUB =
      """
      NP 50-57 PUSH Zq
      NP 58-5F POP =Zq
      NP C3 RET
      NP 0FAE/2 LDMXCSR Md
      NP 0FAE/3 STMXCSR =Md
      """;

  static final HostForm NOTHING =
      new HostForm(
          "NOTHING",
          Operation.OTHER,
          null,
          null,
          null,
          null,
          null,
          0,
          false,
          false,
          false,
          null,
          HostForm.BOTH,
          HostForm.BOTH);

  /** No opcode of an integer instruction here begins like these. */
  private static final Set<String> PREFIX_WORDS = Set.of("NP", "66", "F3", "F2");

  private static final int ZERO = 1;
  private static final int ONE = 2;
  private static final int PREFIXES = 4;
  private static final int EXTENSIONS = 8;

  /** Added to the number of a map: the same map with VEX. */
  static final int VEX = 4;

  /** By map, opcode, prefix and extension. */
  private final @Nullable HostForm[] forms = new HostForm[2 * VEX * 256 * PREFIXES * EXTENSIONS];

  private final boolean[] hasModRm = new boolean[2 * VEX * 256 * PREFIXES];

  /** What blocks may contain. */
  static final HostForms OF_BLOCKS = ofBlocks();

  /** What the way in and the way out may contain. */
  static final HostForms OF_STUBS = ofStubs();

  private HostForms() {}

  private static HostForms ofBlocks() {
    HostForms f = new HostForms();
    for (int i = 0; i < 8; i++) {
      boolean compares = i == 7;
      String name = ARITHMETIC_NAMES[i];
      String role = compares ? "" : "+";
      String lock = compares ? "" : " L";
      for (String line : ARITHMETIC.formatted(role, name, lock).lines().toList()) {
        int opcode = 8 * i + line.charAt(0) - '0';
        f.add("%02X%s".formatted(opcode, line.substring(1)), 0);
      }
      f.add("80/%d %s %sEb Ib F%s".formatted(i, name, role, lock), 0);
      f.add("81/%d %s %sEv Iz F%s".formatted(i, name, role, lock), 0);
      f.add("83/%d %s %sEv Ib F%s".formatted(i, name, role, lock), 0);
      // Appendix A leaves /6 out; processors execute it as SHL, as AMD's manual says.
      String shift = SHIFT_NAMES[i];
      f.add("C0/%d %s +Eb Ib F".formatted(i, shift), 0);
      f.add("C1/%d %s +Ev Ib F".formatted(i, shift), 0);
      f.add("D0/%d %s +Eb F".formatted(i, shift), 0);
      f.add("D1/%d %s +Ev F".formatted(i, shift), 0);
      f.add("D2/%d %s +Eb F".formatted(i, shift), 0);
      f.add("D3/%d %s +Ev F".formatted(i, shift), 0);
    }
    INTEGER.lines().forEach(line -> f.add(line, 0));
    VECTOR.lines().forEach(line -> f.add(line, 0));
    VexForms.LINES.lines().forEach(line -> f.add(line, VEX));
    return f;
  }

  private static HostForms ofStubs() {
    HostForms f = ofBlocks();
    STUB.lines().forEach(line -> f.add(line, 0));
    return f;
  }

  private static int index(int map, int opcode, int prefix) {
    return (map << 8 | opcode) * PREFIXES + prefix;
  }

  /** Whether ModRM follows an opcode. */
  boolean hasModRm(int map, int opcode, int prefix) {
    return hasModRm[index(map, opcode, prefix)];
  }

  /** The form of an opcode, or null if it may not occur. */
  @Nullable HostForm find(int map, int opcode, int prefix, int extension) {
    return forms[index(map, opcode, prefix) * EXTENSIONS + extension];
  }

  // ---- reading a line ----

  private void add(String line, int vex) {
    String[] words = line.split(" ");
    int at = 0;
    String prefixes = "-";
    if (PREFIX_WORDS.contains(words[0].split(",")[0])) {
      prefixes = words[at++];
    }
    String[] opcode = words[at++].split("/");
    String[] range = opcode[0].split("-");
    HostForm form = form(words, at, vex != 0);
    int first = Integer.parseInt(range[0], 16);
    int last = Integer.parseInt(range[range.length - 1], 16);
    for (int code = first; code <= last; code++) {
      for (String prefix : prefixes.equals("-") ? new String[] {"NP", "66"} : prefixes.split(",")) {
        int extension = opcode.length > 1 ? opcode[1].charAt(0) - '0' : -1;
        add(code, vex, prefix(prefix), extension, form);
      }
    }
  }

  private static int prefix(String name) {
    return switch (name) {
      case "66" -> 1;
      case "F3" -> 2;
      case "F2" -> 3;
      default -> 0;
    };
  }

  private void add(int code, int vex, int prefix, int extension, HostForm form) {
    int map = code >> 8 == 0x0F ? 1 : code >> 8 == 0x0F38 ? 2 : code >> 8 == 0x0F3A ? 3 : 0;
    int index = index(vex + map, code & 0xFF, prefix);
    hasModRm[index] = form.hasModRm();
    for (int i = 0; i < EXTENSIONS; i++) {
      if (extension < 0 || extension == i) {
        if (forms[index * EXTENSIONS + i] != null) {
          throw new IllegalStateException("two forms of %x: %s".formatted(code, form));
        }
        forms[index * EXTENSIONS + i] = form;
      }
    }
  }

  private static HostForm form(String[] words, int first, boolean hasVex) {
    @Nullable Operand reg = null;
    @Nullable Operand rm = null;
    @Nullable Operand accumulator = null;
    @Nullable Operand low = null;
    @Nullable Operand immediate = null;
    @Nullable Operand vex = null;
    int lengths = hasVex ? HostForm.BOTH : ZERO;
    int widths = hasVex ? ZERO : HostForm.BOTH;
    int writes = 0;
    boolean flags = false;
    boolean lockable = false;
    boolean wide = false;
    for (int i = first + 1; i < words.length; i++) {
      String word = words[i];
      switch (word) {
        case "F" -> flags = true;
        case "L" -> lockable = true;
        case "W" -> wide = true;
        case "L0" -> lengths = ZERO;
        case "L1" -> lengths = ONE;
        case "W1" -> widths = ONE;
        case "W*" -> widths = HostForm.BOTH;
        case "!A" -> writes |= 1;
        case "!C" -> writes |= 2;
        case "!D" -> writes |= 4;
        default -> {
          Operand o = operand(word);
          if (hasVex && o.isWideByW()) {
            widths = HostForm.BOTH;
          }
          switch (word.charAt(word.charAt(0) == '=' || word.charAt(0) == '+' ? 1 : 0)) {
            case 'G', 'V' -> reg = o;
            case 'A', 'X' -> accumulator = o;
            case 'Z' -> low = o;
            case 'H', 'B' -> vex = o;
            case 'J' -> {
              if (hasVex) {
                vex = o;
              } else {
                immediate = o;
              }
            }
            case 'I' -> immediate = o;
            default -> rm = o;
          }
        }
      }
    }
    return new HostForm(
        words[first],
        operation(words[first]),
        reg,
        rm,
        accumulator,
        low,
        immediate,
        writes,
        flags,
        lockable,
        wide,
        vex,
        lengths,
        widths);
  }

  private static Operand operand(String word) {
    boolean writes = word.charAt(0) == '=';
    boolean both = word.charAt(0) == '+';
    String rest = writes || both ? word.substring(1) : word;
    char kind = rest.charAt(0);
    char size = rest.charAt(1);
    return new Operand(
        size,
        rest.charAt(rest.length() - 1),
        "VWUHJ".indexOf(kind) >= 0,
        !writes && kind != 'N' && kind != 'X',
        writes || both,
        kind != 'M' && kind != 'J',
        kind == 'E' || kind == 'W' || kind == 'M');
  }

  private static Operation operation(String name) {
    for (Operation o : Operation.values()) {
      if (o.name().equals(name.toUpperCase(Locale.ROOT))) {
        return o;
      }
    }
    return Operation.OTHER;
  }
}
