package io.vmm4j.software.differential;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;

/**
 * Code, and the state it starts from.
 *
 * @param seed from which {@link CaseGenerator} makes the same case again
 * @param start the state at its first instruction
 * @param memory an image of the pages, the code in it
 * @param pieces the instructions, by offset into the code page
 * @param open what is not to be compared if the case ends at an offset into the code page; at those
 *     that are not in the map everything is
 */
record Case(
    long seed, UserState start, byte[] memory, List<Piece> pieces, Map<Integer, Mask> open) {

  /**
   * An instruction.
   *
   * @param offset into the code page
   * @param group the number of the group of instructions that belong together
   */
  record Piece(int offset, int length, int group) {}

  private static final byte NOP = (byte) 0x90;

  /** What is not to be compared if the case ends at an address. */
  Mask openAt(long rip) {
    long offset = rip - Layout.CODE;
    return offset >= 0 && offset <= Layout.PAGE
        ? open.getOrDefault((int) offset, Mask.NONE)
        : Mask.NONE;
  }

  /** This case with NOPs in the place of some pieces, so that all others stay where they are. */
  Case without(List<Piece> dropped) {
    byte[] changed = memory.clone();
    for (Piece p : dropped) {
      Arrays.fill(changed, p.offset, p.offset + p.length, NOP);
    }
    return new Case(
        seed, start, changed, pieces.stream().filter(p -> !dropped.contains(p)).toList(), open);
  }

  /** The pieces by the groups that belong together. */
  List<List<Piece>> groups() {
    List<List<Piece>> groups = new ArrayList<>();
    int group = -1;
    for (Piece p : pieces) {
      if (p.group != group) {
        group = p.group;
        groups.add(new ArrayList<>());
      }
      groups.getLast().add(p);
    }
    return groups;
  }

  /** The bytes of a piece. */
  byte[] bytes(Piece piece) {
    return Arrays.copyOfRange(memory, piece.offset, piece.offset + piece.length);
  }

  /** The code, an instruction a line, each with its address. */
  String listing() {
    StringBuilder text = new StringBuilder();
    for (Piece p : pieces) {
      text.append("  %x: ".formatted(Layout.CODE + p.offset))
          .append(HexFormat.ofDelimiter(" ").formatHex(bytes(p)))
          .append('\n');
    }
    return text.toString();
  }
}
