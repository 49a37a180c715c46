package io.vmm4j.software.machinecode.verify;

import static io.vmm4j.software.machinecode.verify.Convention.ADDRESS;
import static io.vmm4j.software.machinecode.verify.Convention.BASE;
import static io.vmm4j.software.machinecode.verify.Convention.PAGE_BYTES;
import static io.vmm4j.software.machinecode.verify.Convention.RCX;
import static io.vmm4j.software.machinecode.verify.Convention.RDI;
import static io.vmm4j.software.machinecode.verify.Convention.RSI;
import static io.vmm4j.software.machinecode.verify.Refused.require;

import java.util.List;

/**
 * Addresses of the host that are kept in temporaries, and come to be in RSI and RDI for a repeated
 * string instruction.
 *
 * <p>That one accesses RCX elements upwards (DF of the host is never set). The end of them is
 * computed from the address, RCX and the element's size, and compared with the end of the page; RCX
 * is known to be so small that nothing overflows.
 */
final class StringRules {
  private final List<Integer> temporaries;

  StringRules(CodeContract contract) {
    this.temporaries = contract.temporaries();
  }

  /** A move of 8 bytes between a register and a temporary, if it is one of a host's address. */
  boolean keep(HostInstruction in, boolean loads, PathState s) {
    int which = in.isAt(BASE) ? temporaries.indexOf(in.displacement) : -1;
    if (which < 0) {
      return false;
    }
    int kept = s.kept[which];
    if (!loads) {
      if (!in.regIs(ADDRESS) || !isPointer(s.address)) {
        return false;
      }
      OperandRules.guestChanges(s);
      s.keep(which, s.address, 0);
      s.keptAddress = which;
      return true;
    }
    if (!isPointer(kept)) {
      return false;
    }
    if (in.regIs(ADDRESS)) {
      s.addressWritten(kept);
      s.keptAddress = which;
      return true;
    }
    if (in.regIs(RSI)) {
      OperandRules.guestChanges(s);
      s.source = kept;
      return true;
    }
    return false;
  }

  private static boolean isPointer(int value) {
    int kind = PathState.kind(value);
    return kind == PathState.HOST || kind == PathState.COUNTED;
  }

  /** MOV RDI, R15, if R15 is an address of the host. */
  static boolean point(int to, int from, int size, PathState s) {
    if (to != RDI || from != ADDRESS || size != 8 || !isPointer(s.address)) {
      return false;
    }
    OperandRules.guestChanges(s);
    s.destination = s.address;
    s.destinationOfAddress = true;
    return true;
  }

  /** LEA R15, [R15 + RCX * size], if R15 is an address of the host that is kept. */
  static boolean end(HostInstruction in, PathState s) {
    boolean computes =
        in.regIs(ADDRESS)
            && in.width() == 8
            && in.base == ADDRESS
            && in.index == RCX
            && in.displacement == 0;
    if (!computes || !s.is(PathState.HOST)) {
      return false;
    }
    long most = s.countMost << in.scale;
    require(s.countMost >= 0 && most <= PAGE_BYTES, "RCX may be too large");
    require(s.keptAddress >= 0 && s.indexOfAddress, "it is not known what this is the end of");
    s.step(PathState.END, false, 1 << in.scale);
    return true;
  }

  /** SUB RDI, R15, if RDI was R15 and the distance is what comes out. */
  static boolean distance(HostInstruction in, PathState s) {
    if (in.memory
        || in.width() != 8
        || (in.condition & 2) == 0
        || !in.regIs(RDI)
        || !in.rmIs(ADDRESS)
        || !s.destinationOfAddress) {
      return false;
    }
    s.written(RDI, 8);
    s.flags = PathState.FLAGS_ANY;
    return true;
  }

  /** A repeated string instruction. */
  static void repeat(HostInstruction in, boolean moves, PathState s) {
    OperandRules.guestChanges(s);
    var element = in.form.accumulator();
    int size = element == null ? 0 : in.bytes(element.size());
    require(
        isCounted(s.destination, size) && PathState.isWritable(s.destination),
        "RCX elements at RDI are not known to be in a page for stores");
    require(
        !moves || isCounted(s.source, size), "RCX elements at RSI are not known to be in a page");
    boolean ofAddress = s.destinationOfAddress;
    s.written(RCX, 8);
    s.destination = PathState.SECRET;
    s.destinationOfAddress = ofAddress;
    s.source = moves ? PathState.SECRET : s.source;
  }

  private static boolean isCounted(int value, int size) {
    return PathState.kind(value) == PathState.COUNTED && PathState.bytes(value) == size;
  }
}
