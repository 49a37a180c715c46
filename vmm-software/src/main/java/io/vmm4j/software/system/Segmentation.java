package io.vmm4j.software.system;

import static io.vmm4j.software.cpu.Cpu.CS;
import static io.vmm4j.software.cpu.Cpu.GP;
import static io.vmm4j.software.cpu.Cpu.LDTR;
import static io.vmm4j.software.cpu.Cpu.NP;
import static io.vmm4j.software.cpu.Cpu.SS;
import static io.vmm4j.software.cpu.Cpu.SS_FAULT;
import static io.vmm4j.software.cpu.Cpu.TR;

import io.vmm4j.software.cpu.Cpu;
import io.vmm4j.software.cpu.Flags;
import io.vmm4j.software.cpu.Segment;
import io.vmm4j.x86.SegmentAttributes;

/**
 * Loads of segment registers in every mode, and the instructions that ask about descriptors (Intel
 * SDM volume 3, chapters 3 and 5; volume 2, MOV, LLDT, LTR, LAR, LSL, VERR).
 */
public final class Segmentation {
  /** Data of DPL 3: what virtual-8086 mode gives. */
  static final int V86_DATA = 0xF3;

  /** The attribute bit of a segment register that holds a null selector. */
  private static final int UNUSABLE = Segment.UNUSABLE;

  /** System segment types whose access rights LAR gives: outside and inside of long mode. */
  private static final int LAR_TYPES = 1 << 1 | 1 << 2 | 1 << 3 | 1 << 4 | 1 << 5 | 1 << 9;

  private static final int LAR_TYPES_ALWAYS = 1 << 11 | 1 << 12;
  private static final int LAR_TYPES_LONG = 1 << 2 | 1 << 9;
  private static final int LSL_TYPES = 1 << 1 | 1 << 2 | 1 << 3 | 1 << 9 | 1 << 11;
  private static final int LSL_TYPES_LONG = 1 << 2 | 1 << 9 | 1 << 11;

  private Segmentation() {}

  /** Whether the processor is in real or virtual-8086 mode: selectors are paragraphs. */
  static boolean paragraphs(Cpu cpu) {
    return !cpu.protectedMode;
  }

  /** Loads ES, SS, DS, FS or GS as MOV and POP do. */
  public static void load(Cpu cpu, int index, int selector) {
    if (paragraphs(cpu)) {
      loadParagraph(cpu, index, selector);
    } else if (index == SS) {
      loadStack(cpu, selector);
    } else {
      loadData(cpu, index, selector);
    }
    if (index == SS) {
      cpu.modeChanged();
    } else {
      cpu.segmentChanged(index);
    }
  }

  /**
   * Loads a segment register, CS too, in real or virtual-8086 mode. Real mode keeps limit and
   * attributes, which is how "big real mode" comes about.
   */
  static void loadParagraph(Cpu cpu, int index, int selector) {
    Segment s = cpu.seg[index];
    long base = (long) selector << 4;
    if ((cpu.systemFlags & Flags.VM) != 0) {
      s.set(selector, base, 0xFFFF, V86_DATA);
    } else if (s.unusable()) {
      s.set(selector, base, 0xFFFF, SegmentAttributes.REAL_MODE_DATA);
    } else {
      s.set(selector, base, s.limit, s.attributes | 0x90);
    }
  }

  /** Makes a segment register null. */
  static void setNull(Cpu cpu, int index, int selector) {
    Segment s = cpu.seg[index];
    s.set(selector, 0, s.limit, UNUSABLE | (index == SS ? cpu.cpl << 5 : 0));
  }

  private static void loadData(Cpu cpu, int index, int selector) {
    if (Descriptor.isNull(selector)) {
      setNull(cpu, index, selector);
      return;
    }
    long raw = Descriptor.read(cpu, selector, GP, 0);
    boolean privileged = !Descriptor.isConformingCode(raw);
    int dpl = Descriptor.dpl(raw);
    if (!Descriptor.isReadable(raw)
        || privileged && (Descriptor.rpl(selector) > dpl || cpu.cpl > dpl)) {
      throw cpu.raise(GP, Descriptor.error(selector, 0));
    }
    if (!Descriptor.present(raw)) {
      throw cpu.raise(NP, Descriptor.error(selector, 0));
    }
    Descriptor.markAccessed(cpu, selector, raw);
    Descriptor.fill(cpu.seg[index], selector, raw);
  }

  private static void loadStack(Cpu cpu, int selector) {
    if (Descriptor.isNull(selector)) {
      if (cpu.codeSize != 8 || cpu.cpl == 3 || Descriptor.rpl(selector) != cpu.cpl) {
        throw cpu.raise(GP, 0);
      }
      setNull(cpu, SS, selector);
      return;
    }
    long raw = checkStack(cpu, selector, cpu.cpl, GP, 0);
    Descriptor.markAccessed(cpu, selector, raw);
    Descriptor.fill(cpu.seg[SS], selector, raw);
  }

  /**
   * Checks a selector for SS at a privilege level and gives its descriptor.
   *
   * @param vector what is raised if it does not do: #GP, or #TS for one from a task state segment
   */
  static long checkStack(Cpu cpu, int selector, int cpl, int vector, int external) {
    int error = Descriptor.error(selector, external);
    long raw = Descriptor.read(cpu, selector, vector, external);
    if (Descriptor.rpl(selector) != cpl
        || !Descriptor.isWritableData(raw)
        || Descriptor.dpl(raw) != cpl) {
      throw cpu.raise(vector, error);
    }
    if (!Descriptor.present(raw)) {
      throw cpu.raise(SS_FAULT, error);
    }
    return raw;
  }

  /** Whether {@code offset} to {@code offset + size - 1} lies in a segment outside 64-bit mode. */
  static boolean within(Segment s, long offset, int size) {
    long last = offset + size - 1;
    if ((s.attributes & 0xC) == 4) {
      return offset > s.limit && last <= (s.big() ? 0xFFFFFFFFL : 0xFFFF);
    }
    return last <= s.limit;
  }

  // ---- LDTR and TR ----

  /** LLDT. */
  static void loadLocalTable(Cpu cpu, int selector) {
    Segment ldt = cpu.seg[LDTR];
    if (Descriptor.isNull(selector)) {
      ldt.set(selector, 0, 0, UNUSABLE);
      return;
    }
    int error = Descriptor.error(selector, 0);
    if ((selector & 4) != 0) {
      throw cpu.raise(GP, error);
    }
    long raw = Descriptor.read(cpu, selector, GP, 0);
    long high = cpu.longMode ? Descriptor.readHigh(cpu, selector, GP, 0) : 0;
    checkSystem(cpu, selector, raw, high, 1 << Descriptor.LDT);
    long base = Descriptor.base(raw) | high << 32;
    if (!Descriptor.isCanonical(base)) {
      throw cpu.raise(GP, error);
    }
    ldt.set(selector, base, Descriptor.limit(raw), Descriptor.attributes(raw));
  }

  /** LTR. */
  static void loadTask(Cpu cpu, int selector) {
    if (Descriptor.isNull(selector)) {
      throw cpu.raise(GP, 0);
    }
    int error = Descriptor.error(selector, 0);
    if ((selector & 4) != 0) {
      throw cpu.raise(GP, error);
    }
    long raw = Descriptor.read(cpu, selector, GP, 0);
    long high = cpu.longMode ? Descriptor.readHigh(cpu, selector, GP, 0) : 0;
    int types = 1 << Descriptor.TSS_AVAILABLE;
    if (!cpu.longMode) {
      types |= 1 << Descriptor.TSS16_AVAILABLE;
    }
    checkSystem(cpu, selector, raw, high, types);
    long base = Descriptor.base(raw) | high << 32;
    if (!Descriptor.isCanonical(base)) {
      throw cpu.raise(GP, error);
    }
    Descriptor.setType(cpu, selector, raw, 2);
    cpu.seg[TR].set(selector, base, Descriptor.limit(raw), Descriptor.attributes(raw) | 2);
  }

  private static void checkSystem(Cpu cpu, int selector, long raw, long high, int types) {
    int error = Descriptor.error(selector, 0);
    boolean right = !Descriptor.isSegment(raw) && (types >> Descriptor.type(raw) & 1) != 0;
    if (!right || (high >>> 40 & 0x1F) != 0) {
      throw cpu.raise(GP, error);
    }
    if (!Descriptor.present(raw)) {
      throw cpu.raise(NP, error);
    }
  }

  // ---- questions ----

  /** VERR and VERW: sets ZF if the segment can be read, or written, at this privilege. */
  static void verify(Cpu cpu, int selector, boolean write) {
    boolean allowed = false;
    long at = Descriptor.isNull(selector) ? -1 : Descriptor.address(cpu, selector, 8);
    if (at != -1) {
      long raw = cpu.mmu.systemRead(at, 8);
      allowed =
          (write ? Descriptor.isWritableData(raw) : Descriptor.isReadable(raw))
              && visible(cpu, selector, raw);
    }
    setZero(cpu, allowed);
  }

  /**
   * LAR: the access rights, or -1 where they are not for this privilege. AMD's processors give the
   * upper bits of the limit with them.
   */
  static long accessRights(Cpu cpu, int selector) {
    int types = cpu.longMode ? LAR_TYPES_LONG | LAR_TYPES_ALWAYS : LAR_TYPES | LAR_TYPES_ALWAYS;
    long raw = ask(cpu, selector, types);
    return raw == 0 ? -1 : raw >>> 32 & (cpu.system.cpuid.isAmd() ? 0x00FFFF00 : 0x00F0FF00);
  }

  /** LSL: the limit in bytes, or -1 where it is not for this privilege. */
  static long limit(Cpu cpu, int selector) {
    long raw = ask(cpu, selector, cpu.longMode ? LSL_TYPES_LONG : LSL_TYPES);
    return raw == 0 ? -1 : Descriptor.limit(raw);
  }

  private static long ask(Cpu cpu, int selector, int systemTypes) {
    long at = Descriptor.isNull(selector) ? -1 : Descriptor.address(cpu, selector, 8);
    if (at == -1) {
      return 0;
    }
    long raw = cpu.mmu.systemRead(at, 8);
    boolean known = Descriptor.isSegment(raw) || (systemTypes >> Descriptor.type(raw) & 1) != 0;
    return known && visible(cpu, selector, raw) ? raw : 0;
  }

  private static boolean visible(Cpu cpu, int selector, long raw) {
    int dpl = Descriptor.dpl(raw);
    return Descriptor.isConformingCode(raw) || cpu.cpl <= dpl && Descriptor.rpl(selector) <= dpl;
  }

  static void setZero(Cpu cpu, boolean zero) {
    int flags = cpu.eflags() & ~Flags.ZF;
    cpu.setArithmeticFlags(zero ? flags | Flags.ZF : flags);
  }

  /**
   * Makes null what the data segment registers must not keep after a return to an outer privilege
   * level (Intel SDM volume 2, RET and IRET): segments of an inner level, unless they are
   * conforming code. A null selector of 1 to 3 becomes 0, on Intel's and AMD's processors alike.
   * Bases stay.
   */
  static void dropPrivileged(Cpu cpu) {
    for (int i = 0; i < 6; i++) {
      Segment s = cpu.seg[i];
      boolean data = i != CS && i != SS;
      boolean inner = s.dpl() < cpu.cpl && (s.attributes & 0x1C) != 0x1C;
      if (data && (inner || Descriptor.isNull(s.selector))) {
        s.selector = 0;
        s.attributes = UNUSABLE;
      }
    }
  }
}
