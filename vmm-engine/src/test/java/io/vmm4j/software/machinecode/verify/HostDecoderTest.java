package io.vmm4j.software.machinecode.verify;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.abort;

import io.vmm4j.software.machinecode.BootedCode;
import io.vmm4j.software.machinecode.BootedCodeResolver;
import io.vmm4j.software.machinecode.verify.HostForm.Operand;
import io.vmm4j.software.machinecode.verify.HostForm.Operation;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;

/** The decoder sees in the code of a boot what objdump sees: lengths, mnemonics, operands. */
@Timeout(600)
@ExtendWith(BootedCodeResolver.class)
class HostDecoderTest {
  private static final int MOST_REPORTED = 20;

  private static final String[] WIDE = {"rax", "rcx", "rdx", "rbx", "rsp", "rbp", "rsi", "rdi"};
  private static final String[] LOW_BYTES = {"al", "cl", "dl", "bl", "spl", "bpl", "sil", "dil"};
  private static final String[] HIGH_BYTES = {"ah", "ch", "dh", "bh"};
  private static final String[] SIZES = {"", "BYTE", "WORD", "", "DWORD", "", "", "", "QWORD"};

  private @TempDir Path directory = Path.of("");

  @Test
  void seesWhatObjdumpSees(BootedCode booted) throws IOException, InterruptedException {
    Path code = directory.resolve("code");
    try (OutputStream out = Files.newOutputStream(code)) {
      for (CodePiece piece : booted.pieces()) {
        out.write(piece.code());
      }
    }
    Process objdump;
    try {
      objdump =
          new ProcessBuilder(
                  "objdump",
                  "-D",
                  "-b",
                  "binary",
                  "-m",
                  "i386:x86-64",
                  "-M",
                  "intel",
                  "--insn-width=16",
                  "-z",
                  code.toString())
              .redirectErrorStream(true)
              .start();
    } catch (IOException e) {
      System.out.println("SKIPPED: no comparison with another disassembler: " + e.getMessage());
      abort("objdump is not there");
      return;
    }
    List<String> differences = new ArrayList<>();
    int instructions;
    try (BufferedReader lines = objdump.inputReader()) {
      instructions = compare(booted, lines, differences);
    }
    assertThat(objdump.waitFor()).isZero();
    assertThat(differences).isEmpty();
    assertThat(instructions).isGreaterThan(100_000);
  }

  private static int compare(BootedCode booted, BufferedReader lines, List<String> differences)
      throws IOException {
    HostDecoder decoder = new HostDecoder(HostForms.OF_BLOCKS);
    HostInstruction in = new HostInstruction();
    int instructions = 0;
    long begin = 0;
    for (CodePiece piece : booted.pieces()) {
      decoder.begin(piece.code());
      for (int at = 0; at < piece.code().length; at += in.length) {
        String wrong = decoder.decode(at, in);
        String line = next(lines);
        String difference = wrong != null ? wrong : difference(in, begin + at, begin, line);
        if (difference != null && differences.size() < MOST_REPORTED) {
          differences.add(difference + " | " + line);
        }
        instructions++;
      }
      begin += piece.code().length;
    }
    return instructions;
  }

  private static String next(BufferedReader lines) throws IOException {
    while (true) {
      String line = lines.readLine();
      if (line == null) {
        return "";
      }
      if (line.matches(" *[0-9a-f]+:\t.*")) {
        return line;
      }
    }
  }

  private static @Nullable String difference(HostInstruction in, long at, long begin, String line) {
    String[] parts = line.split("\t");
    if (parts.length < 3 || Long.parseLong(parts[0].trim().replace(":", ""), 16) != at) {
      return "another place than 0x%x".formatted(at);
    }
    if (parts[1].trim().split(" +").length != in.length) {
      return "another length than %d".formatted(in.length);
    }
    String text = parts[2].replaceAll("#.*", "").trim();
    boolean lock = text.startsWith("lock ");
    if (lock != in.lock) {
      return "LOCK or not";
    }
    text = lock ? text.substring(5) : text;
    if (in.form.operation() == Operation.MOVS || in.form.operation() == Operation.STOS) {
      return text.startsWith("rep " + in.form.name().toLowerCase(Locale.ROOT)) ? null : "no string";
    }
    int space = text.indexOf(' ');
    String mnemonic = space < 0 ? text : text.substring(0, space);
    if (!isName(in, mnemonic)) {
      return "not " + in.form.name();
    }
    Set<String> theirs = new TreeSet<>();
    for (String operand : space < 0 ? new String[0] : text.substring(space).trim().split(",")) {
      theirs.add(operand.replace("+0x0]", "]").replace("ymm", "xmm"));
    }
    Set<String> ours = operands(in, begin);
    return ours.equals(theirs) ? null : "not " + ours;
  }

  /** Vector instructions are in ranges of opcodes under the name of one. */
  private static boolean isName(HostInstruction in, String mnemonic) {
    HostForm f = in.form;
    if (f.reg() != null && f.reg().vector() || f.rm() != null && f.rm().vector()) {
      return true;
    }
    return switch (f.name()) {
      case "VZERO" -> mnemonic.equals(in.vexL ? "vzeroall" : "vzeroupper");
      case "JCC" -> mnemonic.startsWith("j") && !mnemonic.equals("jmp");
      case "CMOVcc" -> mnemonic.startsWith("cmov");
      case "SETcc" -> mnemonic.startsWith("set");
      case "CBW" -> Set.of("cbw", "cwde", "cdqe").contains(mnemonic);
      case "CWD" -> Set.of("cwd", "cdq", "cqo").contains(mnemonic);
      case "MOV" -> mnemonic.equals("mov") || mnemonic.equals("movabs");
      case "CMPXCHG16B" -> mnemonic.equals(in.wide ? "cmpxchg16b" : "cmpxchg8b");
      case "SAL" -> mnemonic.equals("shl");
      default -> mnemonic.equalsIgnoreCase(f.name());
    };
  }

  private static Set<String> operands(HostInstruction in, long begin) {
    HostForm f = in.form;
    Set<String> operands = new TreeSet<>();
    if (f.rm() != null && f.rm().size() != '0' || in.memory) {
      operands.add(in.memory ? memory(in, f.rm()) : register(in, f.rm(), in.rm));
    }
    if (f.reg() != null) {
      operands.add(register(in, f.reg(), in.reg));
    }
    if (f.low() != null) {
      operands.add(register(in, f.low(), in.low));
    }
    if (f.accumulator() != null) {
      operands.add(register(in, f.accumulator(), 0));
    }
    if (f.vex() != null && !(in.memory && !f.vex().registers())) {
      operands.add(register(in, f.vex(), in.vexRegister));
    }
    boolean blends = f.name().equals("PBLENDVB") || f.name().equals("BLENDVPS");
    if (blends) {
      operands.add("xmm" + (in.vex ? in.immediate >> 4 & 15 : 0));
    } else if (f.immediate() != null && !isNamedComparison(in)) {
      operands.add(immediate(in, f, begin));
    }
    boolean doubles = f.name().equals("SHLD") || f.name().equals("SHRD");
    if (f.immediate() == null && (isShift(f.name()) || doubles)) {
      operands.add("cl");
    }
    return operands;
  }

  /** Whether objdump has the immediate in the name, as in CMPLTPS. */
  private static boolean isNamedComparison(HostInstruction in) {
    boolean compares = Set.of("CMPPS", "CMPSS", "CMPSD").contains(in.form.name());
    return compares && in.immediate >= 0 && in.immediate < (in.vex ? 32 : 8);
  }

  private static boolean isShift(String name) {
    return Set.of("ROL", "ROR", "RCL", "RCR", "SHL", "SHR", "SAL", "SAR").contains(name);
  }

  private static String immediate(HostInstruction in, HostForm f, long begin) {
    if (f.operation() == Operation.JMP || f.operation() == Operation.JCC) {
      return "0x" + Long.toHexString(begin + in.offset + in.length + in.immediate);
    }
    // objdump writes a constant in as many bits as its instruction works with.
    Operand of = f.rm() != null ? f.rm() : f.low() != null ? f.low() : f.accumulator();
    boolean count =
        isShift(f.name())
            || f.reg() != null && !f.name().equals("IMUL")
            || f.name().startsWith("BT")
            || of != null && of.vector();
    int size = count || of == null ? 1 : in.bytes(of.size());
    long mask = size == 8 ? -1 : (1L << 8 * size) - 1;
    return "0x" + Long.toHexString(in.immediate & mask);
  }

  private static String memory(HostInstruction in, Operand operand) {
    StringBuilder b = new StringBuilder();
    int size = in.bytes(operand.memorySize());
    if (size == 32) {
      b.append("YMMWORD PTR ");
    } else if (size == 16) {
      b.append(operand.memorySize() == '2' ? "OWORD PTR " : "XMMWORD PTR ");
    } else if (size != 0) {
      b.append(SIZES[size]).append(" PTR ");
    }
    b.append('[');
    if (in.base >= 0) {
      b.append(general(in.base, 8, true));
    }
    if (in.index >= 0) {
      b.append(in.base >= 0 ? "+" : "")
          .append(general(in.index, 8, true))
          .append('*')
          .append(1 << in.scale);
    }
    int d = in.displacement;
    if (d != 0) {
      b.append(d < 0 ? "-" : "+").append("0x").append(Long.toHexString(Math.abs((long) d)));
    }
    return b.append(']').toString();
  }

  private static String register(HostInstruction in, Operand operand, int number) {
    return operand.vector() ? "xmm" + number : general(number, in.bytes(operand.size()), in.rex);
  }

  private static String general(int number, int size, boolean rex) {
    if (number >= 8) {
      return "r" + number + (size == 8 ? "" : size == 4 ? "d" : size == 2 ? "w" : "b");
    }
    return switch (size) {
      case 1 -> !rex && number >= 4 ? HIGH_BYTES[number - 4] : LOW_BYTES[number];
      case 2 -> WIDE[number].substring(1);
      case 4 -> "e" + WIDE[number].substring(1);
      default -> WIDE[number];
    };
  }
}
