package io.vmm4j.software.differential;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Writes instructions into the code page, and notes for each where it is and what it leaves open.
 * What does not fit into the page is cut off: the processor's fetch goes there into a page that is
 * absent.
 *
 * <p>Opcodes are numbered as in the software CPU: the map (one byte, 0F, 0F 38, 0F 3A) in bits 8
 * and 9.
 */
final class Assembler {
  private static final int[] MAP_38_3A = {0x38, 0x3A};

  private final byte[] page = new byte[Layout.PAGE + 64];
  private final List<Case.Piece> pieces = new ArrayList<>();
  private final Map<Integer, Mask> open = new HashMap<>();
  private int at;
  private int start;
  private int group;

  Assembler(int at) {
    this.at = at;
    this.start = at;
  }

  /** The offset of the next byte. */
  int here() {
    return at;
  }

  boolean isFull() {
    return at >= Layout.PAGE;
  }

  byte[] page() {
    return java.util.Arrays.copyOf(page, Layout.PAGE);
  }

  List<Case.Piece> pieces() {
    return List.copyOf(pieces);
  }

  Map<Integer, Mask> open() {
    return Map.copyOf(open);
  }

  Assembler bytes(int... values) {
    for (int v : values) {
      if (at < page.length) {
        page[at] = (byte) v;
      }
      at++;
    }
    return this;
  }

  Assembler immediate(int bytes, long value) {
    for (int i = 0; i < bytes; i++) {
      bytes((int) (value >> 8 * i));
    }
    return this;
  }

  /** Writes over bytes that are there. */
  void patch(int offset, int bytes, long value) {
    for (int i = 0; i < bytes && offset + i < page.length; i++) {
      page[offset + i] = (byte) (value >> 8 * i);
    }
  }

  /** What follows belongs together, and not to what was before. */
  void beginGroup() {
    group++;
  }

  /** Says what is open if the instruction that begins here faults. */
  void opens(Mask mask) {
    open.put(at, mask);
  }

  /** Ends an instruction that leaves everything defined. */
  void end() {
    end(null);
  }

  /** Ends an instruction, after which what {@code mask} says is open. */
  void end(@Nullable Mask mask) {
    if (at <= Layout.PAGE) {
      pieces.add(new Case.Piece(start, at - start, group));
    } else if (start < Layout.PAGE) {
      pieces.add(new Case.Piece(start, Layout.PAGE - start, group));
    }
    if (mask != null) {
      open.put(at, mask);
    }
    start = at;
  }

  /**
   * An instruction with ModRM up to its immediate operand.
   *
   * @param prefixes legacy prefixes, before those that the operand needs
   * @param rex the bits of REX that are to be set at least, -1 for no REX if none is needed
   * @param reg the register, or the extension of the opcode
   * @param immediateBytes how many bytes of immediate operand follow (for RIP)
   */
  Assembler modrm(int[] prefixes, int rex, int opcode, int reg, Operand rm, int immediateBytes) {
    bytes(prefixes);
    if (rm.narrow()) {
      bytes(0x67);
    }
    if (rm.segmentPrefix() != 0) {
      bytes(rm.segmentPrefix());
    }
    int b = rm.isRegister() ? rm.register() : Math.max(rm.base(), 0);
    int needed = (reg & 8) >> 1 | (Math.max(rm.index(), 0) & 8) >> 2 | (b & 8) >> 3;
    if (rex >= 0 || needed != 0) {
      bytes(0x40 | Math.max(rex, 0) | needed);
    }
    opcode(opcode);
    return operand(reg, rm, immediateBytes);
  }

  /** ModRM, SIB and displacement. */
  private Assembler operand(int reg, Operand rm, int immediateBytes) {
    int b = rm.isRegister() ? rm.register() : Math.max(rm.base(), 0);
    int field = (reg & 7) << 3;
    if (rm.isRegister()) {
      return bytes(0xC0 | field | b & 7);
    }
    int displacement = (int) rm.displacement();
    if (rm.base() == Operand.RIP) {
      bytes(field | 5);
      long next = Layout.CODE + at + 4 + immediateBytes;
      return immediate(4, rm.displacement() - next);
    }
    if (rm.base() == Operand.NONE) {
      int index = rm.index() == Operand.NONE ? 4 : rm.index() & 7;
      return bytes(field | 4, rm.scale() << 6 | index << 3 | 5).immediate(4, displacement);
    }
    boolean small = rm.shortDisplacement() && displacement == (byte) displacement;
    boolean none = small && displacement == 0 && (b & 7) != 5;
    int mode = none ? 0 : small ? 0x40 : 0x80;
    if (rm.index() != Operand.NONE || (b & 7) == 4) {
      int index = rm.index() == Operand.NONE ? 4 : rm.index() & 7;
      bytes(mode | field | 4, rm.scale() << 6 | index << 3 | b & 7);
    } else {
      bytes(mode | field | b & 7);
    }
    return immediate(none ? 0 : small ? 1 : 4, displacement);
  }

  /**
   * An instruction with VEX of three bytes, up to its immediate operand.
   *
   * @param size 8 for VEX.W
   * @param prefix what its field pp has: 0 none, 1 for 66, 2 for F3, 3 for F2
   * @param opcode of the map 0F 38 or 0F 3A
   * @param second the register of its field vvvv
   */
  Assembler vex(
      int prefix, int opcode, int reg, int second, Operand rm, int size, int immediateBytes) {
    return vex(prefix, opcode, reg, second, rm, size == 8, false, immediateBytes);
  }

  /** The same with W and L; of two bytes where that is possible and the address says so. */
  Assembler vex(
      int prefix,
      int opcode,
      int reg,
      int second,
      Operand rm,
      boolean w,
      boolean l,
      int immediateBytes) {
    if (rm.narrow()) {
      bytes(0x67);
    }
    if (rm.segmentPrefix() != 0) {
      bytes(rm.segmentPrefix());
    }
    int b = rm.isRegister() ? rm.register() : Math.max(rm.base(), 0);
    int high = (reg & 8) >> 1 | (Math.max(rm.index(), 0) & 8) >> 2 | (b & 8) >> 3;
    int last = (~second & 15) << 3 | (l ? 4 : 0) | prefix;
    if ((high & 3) == 0 && opcode >> 8 == 1 && !w && (at & 1) == 0) {
      bytes(0xC5, (high == 0 ? 0x80 : 0) | last, opcode & 0xFF);
    } else {
      bytes(0xC4, (~high & 7) << 5 | opcode >> 8);
      bytes((w ? 0x80 : 0) | last, opcode & 0xFF);
    }
    return operand(reg, rm, immediateBytes);
  }

  private void opcode(int opcode) {
    int map = opcode >> 8;
    if (map > 0) {
      bytes(0x0F);
    }
    if (map > 1) {
      bytes(MAP_38_3A[map - 2]);
    }
    bytes(opcode & 0xFF);
  }
}
